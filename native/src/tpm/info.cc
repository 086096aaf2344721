#include <tss2/tss2_esys.h>

#include "tpm/operations.hh"
#include "tpm/parent.hh"

namespace tss::tpm {
namespace {

Owned<TPMS_CAPABILITY_DATA> capability(const Esys& esys, TPM2_CAP which, UINT32 from, UINT32 count) {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA* data = nullptr;
  check(Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, which, from, count, &more, &data),
        Step::query);
  return Owned<TPMS_CAPABILITY_DATA>(data);
}

/** Four characters per property, padded with NUL or space; what is not printable ASCII is left out. */
void appendText(std::string& text, UINT32 value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char letter = static_cast<char>((value >> shift) & 0xff);
    if (letter >= ' ' && letter <= '~') text += letter;
  }
}

void trim(std::string& text) { text.erase(text.find_last_not_of(' ') + 1); }

std::string halves(UINT32 value) {
  return std::to_string(value >> 16) + "." + std::to_string(value & 0xffff);
}

bool hasP256(const Esys& esys) {
  const auto curves = capability(esys, TPM2_CAP_ECC_CURVES, TPM2_ECC_NIST_P256, 1);
  const TPML_ECC_CURVE& found = curves->data.eccCurves;
  return found.count > 0 && found.eccCurves[0] == TPM2_ECC_NIST_P256;
}

}  // namespace

Info readInfo(const Esys& esys) {
  Info info;
  const auto fixed = capability(esys, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_MANUFACTURER, 8);
  const TPML_TAGGED_TPM_PROPERTY& properties = fixed->data.tpmProperties;
  for (UINT32 i = 0; i < properties.count; i++) {
    const TPMS_TAGGED_PROPERTY& property = properties.tpmProperty[i];
    if (property.property == TPM2_PT_MANUFACTURER) appendText(info.manufacturer, property.value);
    if (property.property >= TPM2_PT_VENDOR_STRING_1 && property.property <= TPM2_PT_VENDOR_STRING_4)
      appendText(info.vendor, property.value);
    if (property.property == TPM2_PT_FIRMWARE_VERSION_1) info.firmware = halves(property.value);
    if (property.property == TPM2_PT_FIRMWARE_VERSION_2) info.firmware += "." + halves(property.value);
  }
  trim(info.manufacturer);
  trim(info.vendor);
  info.transientObjects =
      capability(esys, TPM2_CAP_HANDLES, TPM2_TRANSIENT_FIRST, TPM2_MAX_CAP_HANDLES)->data.handles.count;
  info.transientFree = readProperty(esys, TPM2_PT_HR_TRANSIENT_AVAIL);
  info.parent = chooseParent(esys);
  info.curveP256 = hasP256(esys);
  const UINT32 permanent = readProperty(esys, TPM2_PT_PERMANENT);
  info.ownerAuthSet = (permanent & TPMA_PERMANENT_OWNERAUTHSET) != 0;
  info.lockout.active = (permanent & TPMA_PERMANENT_INLOCKOUT) != 0;
  info.lockout.failures = readProperty(esys, TPM2_PT_LOCKOUT_COUNTER);
  info.lockout.maxFailures = readProperty(esys, TPM2_PT_MAX_AUTH_FAIL);
  info.lockout.intervalSeconds = readProperty(esys, TPM2_PT_LOCKOUT_INTERVAL);
  info.lockout.recoverySeconds = readProperty(esys, TPM2_PT_LOCKOUT_RECOVERY);
  return info;
}

std::vector<TPM2_HANDLE> handlesFrom(const Esys& esys, TPM2_HANDLE first, TPM2_HANDLE last) {
  std::vector<TPM2_HANDLE> found;
  for (TPM2_HANDLE from = first;;) {
    TPMI_YES_NO more = 0;
    TPMS_CAPABILITY_DATA* data = nullptr;
    check(Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, from,
                             TPM2_MAX_CAP_HANDLES, &more, &data),
          Step::query);
    const Owned<TPMS_CAPABILITY_DATA> owned(data);
    const TPML_HANDLE& handles = data->data.handles;
    for (UINT32 i = 0; i < handles.count; i++) {
      // In rising order, whatever the TPM: else there would be no end.
      if (handles.handle[i] < from || handles.handle[i] > last) return found;
      found.push_back(handles.handle[i]);
      from = handles.handle[i] + 1;
    }
    if (more == 0 || handles.count == 0) return found;
  }
}

UINT32 readProperty(const Esys& esys, TPM2_PT which) {
  const auto data = capability(esys, TPM2_CAP_TPM_PROPERTIES, which, 1);
  const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
  return properties.count == 1 && properties.tpmProperty[0].property == which
             ? properties.tpmProperty[0].value
             : 0;
}

}  // namespace tss::tpm

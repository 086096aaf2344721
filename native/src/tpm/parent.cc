#include "tpm/parent.hh"

#include <algorithm>

#include "tpm/template.hh"

namespace tss::tpm {
namespace {

bool isPersistent(TPM2_HANDLE handle) { return (handle & TPM2_HR_RANGE_MASK) == TPM2_HR_PERSISTENT; }

ESYS_TR openPersistent(const Esys& esys, TPM2_HANDLE handle) {
  if (!isPersistent(handle)) {
    if (handle == TPM2_RH_OWNER) return ESYS_TR_NONE;
    throw Failure("KEY_INVALID", "not supported: parent " + hex(handle));
  }
  ESYS_TR object = ESYS_TR_NONE;
  check(Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object), Step::parent,
        handle);
  return object;
}

ESYS_TR createPrimary(const Esys& esys, const std::string& ownerAuth) {
  TPM2B_AUTH auth{};
  if (ownerAuth.size() > sizeof auth.buffer) throw Failure("ARGUMENT_INVALID", "ownerAuth is too long");
  auth.size = static_cast<UINT16>(ownerAuth.size());
  std::copy(ownerAuth.begin(), ownerAuth.end(), auth.buffer);
  check(Esys_TR_SetAuth(esys, ESYS_TR_RH_OWNER, &auth), Step::createPrimary);
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = storagePrimaryTemplate();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  ESYS_TR object = ESYS_TR_NONE;
  check(Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                           &wanted, &outside, &registers, &object, nullptr, nullptr, nullptr, nullptr),
        Step::createPrimary);
  return object;
}

}  // namespace

Parent::Parent(const Esys& esys, TPM2_HANDLE handle, const std::string& ownerAuth)
    : esys_(esys),
      persistent_(openPersistent(esys, handle)),
      primary_(esys, persistent_ == ESYS_TR_NONE ? createPrimary(esys, ownerAuth) : ESYS_TR_NONE) {}

TPM2_HANDLE chooseParent(const Esys& esys) {
  ESYS_TR object = ESYS_TR_NONE;
  const TSS2_RC rc =
      Esys_TR_FromTPMPublic(esys, kStorageRootKey, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object);
  if (rc != TSS2_RC_SUCCESS) {
    try {
      check(rc, Step::parent, kStorageRootKey);
    } catch (const Failure& failure) {
      // Only its absence lets the primary take its place; a fault of the TPM must not decide the key's
      // parent.
      if (std::string(failure.code()) != "PARENT_MISSING") throw;
    }
    return TPM2_RH_OWNER;
  }
  TPM2B_PUBLIC* area = nullptr;
  check(Esys_ReadPublic(esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr, nullptr),
        Step::parent, kStorageRootKey);
  const Owned<TPM2B_PUBLIC> owned(area);
  Esys_TR_Close(esys, &object);
  return isStorageKey(area->publicArea) ? kStorageRootKey : TPM2_RH_OWNER;
}

}  // namespace tss::tpm

#include <tss2/tss2_esys.h>

#include <algorithm>

#include "tpm/operations.hh"

namespace tss::tpm {
namespace {

// NV indices of endorsement certificates (TCG Registry of Reserved TPM 2.0 Handles §2.2.2).
constexpr TPM2_HANDLE kFirst = 0x01c00000;
constexpr TPM2_HANDLE kLast = 0x01c07fff;
/** Certificates are one to two kilobytes. */
constexpr uint32_t kLongest = 8192;
/** What every TPM takes at once where it does not tell (TPM2_PT_NV_BUFFER_MAX). */
constexpr uint32_t kShortPiece = 512;

/** An opened NV index, closed behind its use. */
class Index {
 public:
  Index(const Esys& esys, TPM2_HANDLE handle) : esys_(esys) {
    check(Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object_),
          Step::query, handle);
  }
  ~Index() { Esys_TR_Close(esys_, &object_); }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;
  ESYS_TR get() const { return object_; }

 private:
  const Esys& esys_;
  ESYS_TR object_ = ESYS_TR_NONE;
};

/** Who may read it without a password that somebody might have set and the TPM would count; NONE where
 * nobody. */
ESYS_TR reader(const Index& index, TPMA_NV attributes) {
  constexpr TPMA_NV kFree = TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;
  if ((attributes & TPMA_NV_WRITTEN) == 0) return ESYS_TR_NONE;
  if ((attributes & kFree) == kFree) return index.get();
  return (attributes & TPMA_NV_OWNERREAD) != 0 ? ESYS_TR_RH_OWNER : ESYS_TR_NONE;
}

Bytes readWhole(const Esys& esys, const Index& index, ESYS_TR by, uint32_t size) {
  const uint32_t told = readProperty(esys, TPM2_PT_NV_BUFFER_MAX);
  const uint32_t piece = std::min<uint32_t>(told == 0 ? kShortPiece : told, TPM2_MAX_NV_BUFFER_SIZE);
  Bytes bytes;
  while (bytes.size() < size) {
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    const auto at = static_cast<UINT16>(bytes.size());
    const auto length = static_cast<UINT16>(std::min<size_t>(piece, size - bytes.size()));
    check(
        Esys_NV_Read(esys, by, index.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, length, at, &data),
        Step::query);
    const Owned<TPM2B_MAX_NV_BUFFER> owned(data);
    if (data->size == 0) throw Failure("TPM_FAILED", "the TPM reads nothing from NV");
    bytes.insert(bytes.end(), data->buffer, data->buffer + data->size);
  }
  return bytes;
}

}  // namespace

std::vector<StoredCertificate> readStoredCertificates(const Esys& esys) {
  std::vector<StoredCertificate> found;
  for (const TPM2_HANDLE handle : handlesFrom(esys, kFirst, kLast)) {
    const Index index(esys, handle);
    TPM2B_NV_PUBLIC* description = nullptr;
    check(Esys_NV_ReadPublic(esys, index.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &description,
                             nullptr),
          Step::query);
    const Owned<TPM2B_NV_PUBLIC> owned(description);
    const TPMS_NV_PUBLIC& area = description->nvPublic;
    const ESYS_TR by = reader(index, area.attributes);
    if (by == ESYS_TR_NONE || area.dataSize == 0 || area.dataSize > kLongest) continue;
    try {
      found.push_back({handle, readWhole(esys, index, by, area.dataSize)});
    } catch (const Failure& failure) {
      // What may not be read (a password, a lock) is as good as absent; a TPM in trouble is not.
      if (faultOf(failure.rc()) != Fault::other) throw;
    }
  }
  return found;
}

}  // namespace tss::tpm

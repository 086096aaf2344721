#include "tpm/leftovers.hh"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_sys.h>

#include <algorithm>

namespace tss::tpm {
namespace {

/** Closes what Esys_TR_FromTPMPublic opened, unless it was flushed. */
class Opened {
 public:
  Opened(const Esys& esys, TPM2_HANDLE handle) : esys_(esys) {
    if (Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object_) !=
        TSS2_RC_SUCCESS)
      object_ = ESYS_TR_NONE;
  }
  ~Opened() {
    if (object_ != ESYS_TR_NONE) Esys_TR_Close(esys_, &object_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  explicit operator bool() const { return object_ != ESYS_TR_NONE; }
  ESYS_TR get() const { return object_; }
  void flush() {
    if (Esys_FlushContext(esys_, object_) == TSS2_RC_SUCCESS) object_ = ESYS_TR_NONE;
  }

 private:
  const Esys& esys_;
  ESYS_TR object_ = ESYS_TR_NONE;
};

Bytes marshalled(const TPM2B_PUBLIC& area) {
  Bytes bytes(sizeof area);
  size_t length = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Marshal(&area, bytes.data(), bytes.size(), &length) != TSS2_RC_SUCCESS) return {};
  bytes.resize(length);
  return bytes;
}

bool isInUse(const Esys& esys, const std::set<std::shared_ptr<Key>>& keys, TPM2_HANDLE handle) {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    TPM2_HANDLE used = 0;
    return key->object != ESYS_TR_NONE && Esys_TR_GetTpmHandle(esys, key->object, &used) == TSS2_RC_SUCCESS &&
           used == handle;
  });
}

bool isOurs(const Esys& esys, const std::set<std::shared_ptr<Key>>& keys, ESYS_TR object) {
  TPM2B_PUBLIC* area = nullptr;
  if (Esys_ReadPublic(esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr, nullptr) !=
      TSS2_RC_SUCCESS)
    return false;
  const Owned<TPM2B_PUBLIC> owned(area);
  const Bytes found = marshalled(*area);
  return !found.empty() && std::any_of(keys.begin(), keys.end(),
                                       [&](const auto& key) { return marshalled(key->publicArea) == found; });
}

}  // namespace

void flushLeftovers(const Esys& esys, const std::set<std::shared_ptr<Key>>& keys) noexcept {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA* data = nullptr;
  if (keys.empty() ||
      Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                         TPM2_TRANSIENT_FIRST, TPM2_MAX_CAP_HANDLES, &more, &data) != TSS2_RC_SUCCESS)
    return;
  const Owned<TPMS_CAPABILITY_DATA> owned(data);
  const TPML_HANDLE& handles = data->data.handles;
  for (UINT32 i = 0; i < handles.count; i++) {
    if (isInUse(esys, keys, handles.handle[i])) continue;
    Opened object(esys, handles.handle[i]);
    if (object && isOurs(esys, keys, object.get())) object.flush();
  }
}

void flushSessions(const Esys& esys, OpenSessions& sessions) noexcept {
  // ESYS opens no handles of sessions that it did not start itself.
  TSS2_SYS_CONTEXT* system = nullptr;
  if (!sessions.empty() && Esys_GetSysContext(esys, &system) == TSS2_RC_SUCCESS)
    for (const TPM2_HANDLE handle : sessions) Tss2_Sys_FlushContext(system, handle);
  sessions.clear();
}

}  // namespace tss::tpm

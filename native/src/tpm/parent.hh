#pragma once

#include "tpm/esys.hh"

namespace tss::tpm {

/** The storage key above ours. A primary is transient and must be flushed; a persistent key stays. */
class Parent {
 public:
  /**
   * @param handle persistent (0x81xxxxxx) or TPM2_RH_OWNER for the primary of the owner hierarchy
   * @throws Failure PARENT_MISSING, TPM_OWNER_AUTH, KEY_INVALID for parents that are not supported
   */
  Parent(const Esys& esys, TPM2_HANDLE handle, const std::string& ownerAuth);
  ~Parent() {
    if (persistent_ != ESYS_TR_NONE) Esys_TR_Close(esys_, &persistent_);
  }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;
  ESYS_TR get() const { return persistent_ != ESYS_TR_NONE ? persistent_ : primary_.get(); }

 private:
  const Esys& esys_;
  ESYS_TR persistent_;
  Transient primary_;
};

/** The parent for new keys: the persistent storage root key where it is suitable, else TPM2_RH_OWNER. */
TPM2_HANDLE chooseParent(const Esys& esys);

}  // namespace tss::tpm

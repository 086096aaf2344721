#pragma once

#include <tss2/tss2_esys.h>

#include <memory>
#include <string>

#include "tpm/faults.hh"

namespace tss::tpm {

/** A connection to the TPM: transport (TCTI) and ESYS context. Used by one thread only. */
class Esys {
 public:
  /**
   * @param tcti `device:`, `swtpm:`, `mssim:` or `tabrmd:` with its options, as tpm2-tss spells them
   * @throws Failure TPM_ABSENT, TPM_ACCESS_DENIED, TPM_CONNECTION, ARGUMENT_INVALID
   */
  explicit Esys(const std::string& tcti);
  ~Esys();
  Esys(const Esys&) = delete;
  Esys& operator=(const Esys&) = delete;
  operator ESYS_CONTEXT*() const { return context_; }

 private:
  TSS2_TCTI_CONTEXT* transport_ = nullptr;
  ESYS_CONTEXT* context_ = nullptr;
};

/** True where something between us and the TPM swaps objects and cleans up after a client that died. */
bool hasResourceManager(const std::string& tcti);

/** What ESYS allocates. */
struct Release {
  void operator()(void* memory) const { Esys_Free(memory); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

/** A transient object of ours: flushed when it goes out of scope, so that no slot stays taken. */
class Transient {
 public:
  Transient(const Esys& esys, ESYS_TR object) : esys_(esys), object_(object) {}
  ~Transient() {
    if (object_ != ESYS_TR_NONE) Esys_FlushContext(esys_, object_);
  }
  Transient(const Transient&) = delete;
  Transient& operator=(const Transient&) = delete;
  ESYS_TR get() const { return object_; }
  /** The caller flushes from now on. */
  ESYS_TR keep() {
    const ESYS_TR object = object_;
    object_ = ESYS_TR_NONE;
    return object;
  }

 private:
  const Esys& esys_;
  ESYS_TR object_;
};

}  // namespace tss::tpm

#pragma once

#include <napi.h>

#include <memory>

#include "worker.hh"

namespace tss {

/** What one environment (the main thread, or one of Node's workers) holds of this addon. */
struct Classes {
  Napi::FunctionReference tpm;
  Napi::FunctionReference tpmKey;
  /** Handshakes without a TPM key run here; started by the first of them. */
  std::shared_ptr<Worker> tlsWorker;

  static Classes& of(Napi::Env env) { return *env.GetInstanceData<Classes>(); }
};

}  // namespace tss

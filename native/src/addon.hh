#pragma once

#include <napi.h>

namespace tss {

/** What one environment (the main thread, or one of Node's workers) holds of this addon. */
struct Classes {
  Napi::FunctionReference tpm;
  Napi::FunctionReference tpmKey;

  static Classes& of(Napi::Env env) { return *env.GetInstanceData<Classes>(); }
};

}  // namespace tss

#include "failure.hh"

namespace tss {

Napi::Error toError(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.what());
  error.Value().Set("code", failure.code());
  if (failure.rc() != 0) error.Value().Set("rc", Napi::Number::New(env, failure.rc()));
  return error;
}

}  // namespace tss

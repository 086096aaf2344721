#pragma once

#include <napi.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace tss {

/** What went wrong, as a code of `api.ts`; `rc` is the TSS2_RC of a TPM call, 0 where none was made. */
class Failure : public std::runtime_error {
 public:
  Failure(const char* code, const std::string& message, uint32_t rc = 0)
      : std::runtime_error(message), code_(code), rc_(rc) {}
  const char* code() const { return code_; }
  uint32_t rc() const { return rc_; }

 private:
  const char* code_;
  uint32_t rc_;
};

/** The failure as a JavaScript Error with the properties `code` and `rc` (undefined where there is none). */
Napi::Error toError(Napi::Env env, const Failure& failure);

/** Runs an entry point; what it throws becomes a JavaScript exception. */
template <typename Body>
auto guarded(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Failure& failure) {
    throw toError(env, failure);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& other) {
    throw Napi::Error::New(env, other.what());
  }
}

}  // namespace tss

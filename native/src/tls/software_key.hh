#pragma once

#include <napi.h>

#include "tls/context.hh"

namespace tss::tls {

/** Defines the class `SoftwareKey`: `new SoftwareKey(pkcs8Pem)`, `point`, `sign(digest): Buffer`. */
Napi::Function defineSoftwareKey(Napi::Env env);

/** The key behind a SoftwareKey object, nothing for any other value. */
std::optional<ClientKey> softwareKeyOf(const Napi::Value& value);

}  // namespace tss::tls

#pragma once

#include <napi.h>

namespace tss::tls {

/** Exports the classes `TlsContext`, `TlsConnection` and `SoftwareKey`. */
void exportTls(Napi::Env env, Napi::Object exports);

}  // namespace tss::tls

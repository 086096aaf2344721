#pragma once

#include <napi.h>

namespace tss {

/** `notify(socket, state)`: one datagram to a service manager, as sd_notify(3) sends it. */
void exportNotify(Napi::Env env, Napi::Object exports);

}  // namespace tss

#include "addon.hh"

#include "notify.hh"
#include "tls/binding.hh"
#include "tls/library.hh"
#include "tpm/binding.hh"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  return tss::guarded(env, [&] {
    env.SetInstanceData(new tss::Classes);
    tss::tls::requireOwnLibrary();
    tss::tpm::exportTpm(env, exports);
    tss::tls::exportTls(env, exports);
    tss::exportNotify(env, exports);
    exports.Set("opensslVersion", tss::tls::version());
    return exports;
  });
}

}  // namespace

NODE_API_MODULE(node_tss, init)

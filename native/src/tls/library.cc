#include "tls/library.hh"

#include <openssl/err.h>
#include <openssl/provider.h>

#include "failure.hh"
#include "tls/provider.hh"

namespace tss::tls {
namespace {

OSSL_LIB_CTX* make() {
  // First of all calls: no configuration file, and no clean-up at exit while our threads may still be at
  // work.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  if (context == nullptr || OSSL_PROVIDER_load(context, "default") == nullptr ||
      OSSL_PROVIDER_add_builtin(context, kProviderName, initProvider) != 1 ||
      OSSL_PROVIDER_load(context, kProviderName) == nullptr ||
      // Both providers know "EC": only keys that were made in ours may end there.
      EVP_set_default_properties(context, "?provider=default") != 1)
    throw Failure("TLS_PROTOCOL", "OpenSSL does not start");
  ERR_clear_error();
  return context;
}

}  // namespace

OSSL_LIB_CTX* library() {
  static OSSL_LIB_CTX* const context = make();
  return context;
}

std::string version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

void requireOwnLibrary() {
  if (OpenSSL_version_num() != OPENSSL_VERSION_NUMBER)
    throw Failure("TLS_PROTOCOL", "node_tss runs OpenSSL " + version() + " but was built for " +
                                      OPENSSL_VERSION_STR + ": build the addon again");
}

}  // namespace tss::tls

#include "tls/provider.hh"

#include <openssl/params.h>

namespace tss::tls {
namespace {

constexpr const char* kProperties = "provider=tss";

const OSSL_ALGORITHM kKeyManagements[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", kProperties, kKeyManagement, "EC keys that sign elsewhere"},
    {nullptr, nullptr, nullptr, nullptr}};
const OSSL_ALGORITHM kSignatures[] = {{"ECDSA", kProperties, kSignature, "ECDSA that is made elsewhere"},
                                      {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM* query(void*, int operation, int* noCache) {
  *noCache = 0;
  if (operation == OSSL_OP_KEYMGMT) return kKeyManagements;
  if (operation == OSSL_OP_SIGNATURE) return kSignatures;
  return nullptr;
}

using Function = void (*)(void);

const OSSL_DISPATCH kProvider[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<Function>(query)},
                                   {0, nullptr}};

}  // namespace

int initProvider(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
                 void** context) {
  *out = kProvider;
  *context = const_cast<OSSL_CORE_HANDLE*>(core);
  return 1;
}

}  // namespace tss::tls

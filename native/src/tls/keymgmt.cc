#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>

#include "tls/provider.hh"

namespace tss::tls {
namespace {

// The group as OpenSSL names it to libssl; "P-256" is accepted on the way in.
constexpr const char* kGroup = "prime256v1";
// Carries the address of a shared_ptr within this process, from makeProviderKey to import and no further.
constexpr const char* kSignerParameter = "tss-signer";
constexpr int kMaxSignatureBytes = 72;

void* newKey(void*) { return new (std::nothrow) ProviderKey; }
void freeKey(void* key) { delete static_cast<ProviderKey*>(key); }

int has(const void* data, int selection) {
  const auto* key = static_cast<const ProviderKey*>(data);
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && !key->signer) return 0;
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 && !key->hasPoint) return 0;
  return 1;
}

int match(const void* one, const void* other, int) {
  const auto* a = static_cast<const ProviderKey*>(one);
  const auto* b = static_cast<const ProviderKey*>(other);
  return a->hasPoint && b->hasPoint && a->point == b->point ? 1 : 0;
}

const OSSL_PARAM* importTypes(int) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                     OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                     OSSL_PARAM_octet_string(kSignerParameter, nullptr, 0), OSSL_PARAM_END};
  return types;
}

int import(void* data, int, const OSSL_PARAM parameters[]) {
  auto* key = static_cast<ProviderKey*>(data);
  const OSSL_PARAM* group = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_GROUP_NAME);
  const char* name = nullptr;
  if (group != nullptr && (OSSL_PARAM_get_utf8_string_ptr(group, &name) != 1 ||
                           (std::strcmp(name, kGroup) != 0 && std::strcmp(name, "P-256") != 0)))
    return 0;
  const OSSL_PARAM* point = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_PUB_KEY);
  if (point == nullptr || point->data_type != OSSL_PARAM_OCTET_STRING ||
      point->data_size != key->point.size())
    return 0;
  std::copy_n(static_cast<const uint8_t*>(point->data), key->point.size(), key->point.begin());
  key->hasPoint = true;
  const OSSL_PARAM* signer = OSSL_PARAM_locate_const(parameters, kSignerParameter);
  if (signer == nullptr) return 1;
  const std::shared_ptr<Signer>* address = nullptr;
  if (signer->data_size != sizeof address) return 0;
  std::memcpy(&address, signer->data, sizeof address);
  key->signer = *address;
  return 1;
}

const OSSL_PARAM* exportTypes(int) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                     OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                     OSSL_PARAM_END};
  return types;
}

int exportKey(void* data, int selection, OSSL_CALLBACK* receive, void* argument) {
  auto* key = static_cast<ProviderKey*>(data);
  // A refusal, not an omission: without it OpenSSL would move the key to the default provider and lose the
  // signer.
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 || !key->hasPoint) return 0;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(kGroup), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->point.data(), key->point.size()),
      OSSL_PARAM_construct_end()};
  return receive(parameters, argument);
}

const OSSL_PARAM* gettable(void*) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                     OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                     OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                     OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                     OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                     OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                     OSSL_PARAM_END};
  return types;
}

bool setInt(OSSL_PARAM parameters[], const char* name, int value) {
  OSSL_PARAM* found = OSSL_PARAM_locate(parameters, name);
  return found == nullptr || OSSL_PARAM_set_int(found, value) == 1;
}

bool setText(OSSL_PARAM parameters[], const char* name, const char* value) {
  OSSL_PARAM* found = OSSL_PARAM_locate(parameters, name);
  return found == nullptr || OSSL_PARAM_set_utf8_string(found, value) == 1;
}

int getParameters(void* data, OSSL_PARAM parameters[]) {
  const auto* key = static_cast<ProviderKey*>(data);
  OSSL_PARAM* point = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_PUB_KEY);
  if (point != nullptr && OSSL_PARAM_set_octet_string(point, key->point.data(), key->point.size()) != 1)
    return 0;
  return setInt(parameters, OSSL_PKEY_PARAM_BITS, 256) &&
                 setInt(parameters, OSSL_PKEY_PARAM_SECURITY_BITS, 128) &&
                 setInt(parameters, OSSL_PKEY_PARAM_MAX_SIZE, kMaxSignatureBytes) &&
                 setText(parameters, OSSL_PKEY_PARAM_GROUP_NAME, kGroup) &&
                 setText(parameters, OSSL_PKEY_PARAM_DEFAULT_DIGEST, "SHA256")
             ? 1
             : 0;
}

const char* operationName(int operation) { return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC"; }

using Function = void (*)(void);
template <typename F>
Function slot(F* function) {
  return reinterpret_cast<Function>(function);
}

}  // namespace

const OSSL_DISPATCH kKeyManagement[] = {{OSSL_FUNC_KEYMGMT_NEW, slot(newKey)},
                                        {OSSL_FUNC_KEYMGMT_FREE, slot(freeKey)},
                                        {OSSL_FUNC_KEYMGMT_HAS, slot(has)},
                                        {OSSL_FUNC_KEYMGMT_MATCH, slot(match)},
                                        {OSSL_FUNC_KEYMGMT_IMPORT, slot(import)},
                                        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, slot(importTypes)},
                                        {OSSL_FUNC_KEYMGMT_EXPORT, slot(exportKey)},
                                        {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, slot(exportTypes)},
                                        {OSSL_FUNC_KEYMGMT_GET_PARAMS, slot(getParameters)},
                                        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, slot(gettable)},
                                        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, slot(operationName)},
                                        {0, nullptr}};

PkeyPtr makeProviderKey(const std::shared_ptr<Signer>& signer) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(library(), "EC", "provider=tss"));
  Point point = signer->point();
  const std::shared_ptr<Signer>* address = &signer;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_octet_string(kSignerParameter, &address, sizeof address),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters) != 1)
    throw Failure("TLS_PROTOCOL", "OpenSSL does not take the key");
  return PkeyPtr(key);
}

}  // namespace tss::tls

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "tls/provider.hh"

namespace tss::tls {
namespace {

constexpr size_t kMaxSignatureBytes = 72;

thread_local std::optional<Failure> lastFailure;

/** The context of one signature. The key outlives it: the EVP_PKEY that owns it is held by the caller. */
struct Signing {
  const ProviderKey* key = nullptr;
};

void* newContext(void*, const char*) { return new (std::nothrow) Signing; }
void freeContext(void* context) { delete static_cast<Signing*>(context); }
void* duplicate(void* context) { return new (std::nothrow) Signing(*static_cast<Signing*>(context)); }

using DigestPtr = std::unique_ptr<EVP_MD, Deleter<EVP_MD_free>>;

bool isSha256(const char* name) {
  if (name == nullptr || *name == '\0') return true;
  const DigestPtr digest(EVP_MD_fetch(library(), name, "provider=default"));
  return digest && EVP_MD_is_a(digest.get(), "SHA256") == 1;
}

// TLS 1.2 lets a P-256 key sign any hash; libssl does not choose one that is refused here.
int init(void* context, const char* digest, void* key, const OSSL_PARAM*) {
  if (!isSha256(digest)) return 0;
  auto* signing = static_cast<Signing*>(context);
  if (key != nullptr) signing->key = static_cast<const ProviderKey*>(key);
  return signing->key != nullptr && signing->key->signer ? 1 : 0;
}

bool hash(const uint8_t* message, size_t length, Digest& digest) {
  const DigestPtr sha256(EVP_MD_fetch(library(), "SHA256", "provider=default"));
  return sha256 && EVP_Digest(message, length, digest.data(), nullptr, sha256.get(), nullptr) == 1;
}

int sign(void* context, uint8_t* signature, size_t* length, size_t size, const uint8_t* message,
         size_t bytes) {
  if (signature == nullptr) {
    *length = kMaxSignatureBytes;
    return 1;
  }
  Digest digest;
  if (!hash(message, bytes, digest)) return 0;
  try {
    const Bytes der = static_cast<Signing*>(context)->key->signer->sign(digest);
    if (der.size() > size) return 0;
    std::copy(der.begin(), der.end(), signature);
    *length = der.size();
    return 1;
  } catch (const Failure& failure) {
    lastFailure = failure;
  } catch (const std::exception& other) {
    lastFailure = Failure("TPM_FAILED", other.what());
  }
  return 0;
}

using Function = void (*)(void);
template <typename F>
Function slot(F* function) {
  return reinterpret_cast<Function>(function);
}

}  // namespace

const OSSL_DISPATCH kSignature[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, slot(newContext)}, {OSSL_FUNC_SIGNATURE_FREECTX, slot(freeContext)},
    {OSSL_FUNC_SIGNATURE_DUPCTX, slot(duplicate)},  {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, slot(init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, slot(sign)},  {0, nullptr}};

std::optional<Failure> takeSignFailure() {
  std::optional<Failure> failure;
  failure.swap(lastFailure);
  return failure;
}

}  // namespace tss::tls

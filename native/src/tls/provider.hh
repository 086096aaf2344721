#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <memory>
#include <optional>

#include "signer.hh"
#include "tls/library.hh"

/** An OpenSSL provider whose EC keys sign through a `Signer`: the way a TPM key gets into libssl. */
namespace tss::tls {

constexpr const char* kProviderName = "tss";

int initProvider(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in, const OSSL_DISPATCH** out,
                 void** context);

/** A key of the provider. Keys imported for comparison have a point and no signer. */
struct ProviderKey {
  Point point{};
  bool hasPoint = false;
  std::shared_ptr<Signer> signer;
};

extern const OSSL_DISPATCH kKeyManagement[];
extern const OSSL_DISPATCH kSignature[];

/** An OpenSSL key that signs through `signer`. */
PkeyPtr makeProviderKey(const std::shared_ptr<Signer>& signer);

/** Why the last signature on this thread failed; C code in between cannot carry an exception. */
std::optional<Failure> takeSignFailure();

}  // namespace tss::tls

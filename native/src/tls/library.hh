#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace tss::tls {

/**
 * A library context of our own: neither the host's configuration file nor its providers reach it. Holds the
 * default provider and ours. Lives as long as the process.
 */
OSSL_LIB_CTX* library();

/** The linked library, such as `3.0.22`. */
std::string version();

/** @throws Failure where the running OpenSSL is not the one compiled against (the host's symbols won) */
void requireOwnLibrary();

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Deleter<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Deleter<SSL_SESSION_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;

}  // namespace tss::tls

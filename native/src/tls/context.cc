#include "tls/context.hh"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls/connection.hh"
#include "tls/errors.hh"
#include "tls/provider.hh"

namespace tss::tls {
namespace {

constexpr int kMaxChainDepth = 8;
constexpr long kMaxChainBytes = 64 * 1024;
constexpr const char* kTrustCode = "TRUST_INVALID";
// Of TLS 1.2 only what TLS 1.3 would agree to: ephemeral keys and authenticated encryption (RFC 9325 §4.2).
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

void require(int done, const char* code, const char* what) {
  if (done != 1) throw Failure(code, std::string(what) + ": " + lastReason());
}

}  // namespace

std::optional<Point> pointOf(EVP_PKEY* key) {
  Point point;
  char group[32];
  size_t length = 0;
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1 ||
      EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 || std::string(group) != "prime256v1" ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &length) !=
          1 ||
      length != point.size())
    return std::nullopt;
  return point;
}

std::vector<CertificatePtr> readCertificates(const std::string& pem, const char* code) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificatePtr> certificates;
  for (;;) {
    CertificatePtr certificate(X509_new_ex(library(), nullptr));
    X509* raw = certificate.get();
    if (!bio || raw == nullptr) throw Failure(code, "out of memory");
    if (PEM_read_bio_X509(bio.get(), &raw, nullptr, nullptr) == nullptr) {
      // What does not parse is freed there and then; where there is nothing to parse, it stays ours.
      if (raw == nullptr) static_cast<void>(certificate.release());
      break;
    }
    certificates.push_back(std::move(certificate));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool atEnd = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string reason = lastReason();
  if (!atEnd) throw Failure(code, "a certificate does not parse: " + reason);
  if (certificates.empty()) throw Failure(code, "no certificate in the PEM text");
  return certificates;
}

Context::Context(const std::optional<std::string>& anchors, const std::string& systemAnchors,
                 const std::string& chain, std::optional<ClientKey> key, Oldest oldest)
    : context_(SSL_CTX_new_ex(library(), nullptr, TLS_client_method())) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr) throw Failure("TLS_PROTOCOL", "OpenSSL makes no context: " + lastReason());
  speak(oldest);
  SSL_CTX_set_max_cert_list(context, kMaxChainBytes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(context, kMaxChainDepth);
  X509_VERIFY_PARAM* const parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  // RFC 9525: names are in subjectAltName; the common name is not one.
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, Connection::onTicket);
  if (anchors)
    trust(*anchors);
  else
    trustFile(systemAnchors);
  if (key) identify(chain, *key);
}

void Context::speak(Oldest oldest) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, oldest == Oldest::tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  require(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384"), "TLS_PROTOCOL", "key agreement groups");
  require(SSL_CTX_set_cipher_list(context, kTls12Suites), "TLS_PROTOCOL", "cipher suites");
}

void Context::trust(const std::string& pem) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
  for (const auto& certificate : readCertificates(pem, kTrustCode))
    require(X509_STORE_add_cert(store, certificate.get()), kTrustCode, "a trust anchor was refused");
  // Anchors that were handed in are anchors, be they self-signed or not.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
}

void Context::trustFile(const std::string& path) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
  require(X509_STORE_load_file_ex(store, path.c_str(), library(), nullptr), kTrustCode,
          "the system's trust anchors do not load");
  ERR_clear_error();
}

void Context::identify(const std::string& chain, const ClientKey& key) {
  constexpr const char* kCode = "CLIENT_CERTIFICATE_INVALID";
  auto certificates = readCertificates(chain, kCode);
  X509* const leaf = certificates.front().get();
  if (pointOf(X509_get0_pubkey(leaf)) != key.point)
    throw Failure(kCode, "the client certificate is for another key");
  signer_ = key.signer;
  const PkeyPtr made = signer_ ? makeProviderKey(signer_) : nullptr;
  require(SSL_CTX_use_certificate(context_.get(), leaf), kCode, "the client certificate was refused");
  require(SSL_CTX_use_PrivateKey(context_.get(), made ? made.get() : key.pkey.get()), kCode,
          "the key was refused");
  for (size_t i = 1; i < certificates.size(); i++)
    require(static_cast<int>(SSL_CTX_add1_chain_cert(context_.get(), certificates[i].get())), kCode,
            "an intermediate certificate was refused");
}

}  // namespace tss::tls

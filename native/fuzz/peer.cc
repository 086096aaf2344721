#include "peer.hh"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "input.hh"

namespace tss::fuzz {
namespace {

constexpr long kDaySeconds = 86400;

void name(X509* certificate) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const uint8_t*>("fuzz"), -1, -1,
                             0);
  X509_set_issuer_name(certificate, subject);
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "DNS:localhost");
  require(names != nullptr && X509_add_ext(certificate, names, -1) == 1, "the test certificate has a name");
  X509_EXTENSION_free(names);
}

std::string pemOf(X509* certificate) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), certificate) == 1, "the test certificate is written");
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(length));
}

}  // namespace

Identity makeIdentity() {
  Identity identity;
  identity.key.reset(EVP_PKEY_Q_keygen(tls::library(), "provider=default", "EC", "P-256"));
  identity.certificate.reset(X509_new_ex(tls::library(), nullptr));
  X509* const certificate = identity.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kDaySeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kDaySeconds);
  X509_set_pubkey(certificate, identity.key.get());
  name(certificate);
  require(X509_sign(certificate, identity.key.get(), EVP_sha256()) > 0, "the test certificate is signed");
  identity.pem = pemOf(certificate);
  const auto point = tls::pointOf(identity.key.get());
  require(point.has_value(), "the test key is on P-256");
  identity.point = *point;
  return identity;
}

Bytes SoftwareSigner::sign(const Digest& digest) {
  const tls::PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(tls::library(), identity_.key.get(), nullptr));
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(identity_.key.get())));
  size_t length = signature.size();
  require(EVP_PKEY_sign_init(context.get()) == 1 &&
              EVP_PKEY_sign(context.get(), signature.data(), &length, digest.data(), digest.size()) == 1,
          "the test key signs");
  signature.resize(length);
  return signature;
}

Server::Server(const Identity& own, const Identity& client, bool demandCertificate, bool onlyTls12)
    : context_(SSL_CTX_new_ex(tls::library(), nullptr, TLS_server_method())) {
  if (onlyTls12) SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_use_certificate(context_.get(), own.certificate.get());
  SSL_CTX_use_PrivateKey(context_.get(), own.key.get());
  if (demandCertificate) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), client.certificate.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  ssl_.reset(SSL_new(context_.get()));
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_accept_state(ssl_.get());
}

void Server::take(const Bytes& records) {
  if (!records.empty()) BIO_write(in_, records.data(), static_cast<int>(records.size()));
  uint8_t plain[4096];
  for (size_t got = 0; SSL_read_ex(ssl_.get(), plain, sizeof plain, &got) == 1;)
    received_.insert(received_.end(), plain, plain + got);
  ERR_clear_error();
}

void Server::write(const Bytes& plain) {
  size_t written = 0;
  SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written);
  ERR_clear_error();
}

void Server::close() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void Server::updateKeys() {
  // Takes effect with the next record.
  if (isReady()) SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
  ERR_clear_error();
}

Bytes Server::output() {
  Bytes records(static_cast<size_t>(BIO_pending(out_)));
  if (!records.empty()) BIO_read(out_, records.data(), static_cast<int>(records.size()));
  return records;
}

}  // namespace tss::fuzz

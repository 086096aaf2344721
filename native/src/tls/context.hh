#pragma once

#include <optional>
#include <string>

#include "signer.hh"
#include "tls/library.hh"
#include "tls/sessions.hh"

namespace tss::tls {

/** A client's key: in software as an OpenSSL key, or elsewhere behind a signer. */
struct ClientKey {
  Point point;
  PkeyPtr pkey;
  std::shared_ptr<Signer> signer;  // null for a software key
};

/** The oldest version of TLS that is spoken; the newest is 1.3 always. */
enum class Oldest { tls12, tls13 };

/** What a client trusts and who it is. Many connections share one; so do their session tickets. */
class Context {
 public:
  /**
   * @param anchors PEM bundle of trust anchors, each one trusted as it stands
   * @param systemAnchors file of the system's trust anchors, read where `anchors` is absent
   * @param chain PEM, leaf first; used only with `key`
   * @throws Failure CLIENT_CERTIFICATE_INVALID, TRUST_INVALID
   */
  Context(const std::optional<std::string>& anchors, const std::string& systemAnchors,
          const std::string& chain, std::optional<ClientKey> key, Oldest oldest);
  SSL_CTX* get() const { return context_.get(); }
  const std::shared_ptr<Signer>& signer() const { return signer_; }
  Sessions& sessions() { return sessions_; }

 private:
  void speak(Oldest oldest);
  void trust(const std::string& pem);
  void trustFile(const std::string& path);
  void identify(const std::string& chain, const ClientKey& key);

  SslContextPtr context_;
  std::shared_ptr<Signer> signer_;
  Sessions sessions_;
};

/** The uncompressed P-256 point of a public key, nothing for any other kind of key. */
std::optional<Point> pointOf(EVP_PKEY* key);

/** All certificates of a PEM bundle, in order. @throws Failure with `code` where something in it does not
 * parse */
std::vector<CertificatePtr> readCertificates(const std::string& pem, const char* code);

}  // namespace tss::tls

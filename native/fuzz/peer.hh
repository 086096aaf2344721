#pragma once

#include <memory>
#include <string>

#include "signer.hh"
#include "tls/context.hh"

namespace tss::fuzz {

/** A P-256 key with a self-signed certificate for `localhost`, made anew in each process. */
struct Identity {
  tls::PkeyPtr key;
  tls::CertificatePtr certificate;
  std::string pem;
  Point point{};
};
Identity makeIdentity();

/** Signs at once, on whatever thread asks: what the provider sees of a TPM. */
class SoftwareSigner : public Signer {
 public:
  explicit SoftwareSigner(const Identity& identity) : identity_(identity) {}
  const Point& point() const override { return identity_.point; }
  std::shared_ptr<Worker> worker() const override { return nullptr; }
  void hold() override { holds_++; }
  void alert() override {}
  void release() override { holds_--; }
  Bytes sign(const Digest& digest) override;
  int holds() const { return holds_; }

 private:
  const Identity& identity_;
  int holds_ = 0;
};

/** OpenSSL as a server over memory. */
class Server {
 public:
  /** @param demandCertificate of the client's authority, which is the client's own certificate */
  Server(const Identity& own, const Identity& client, bool demandCertificate, bool onlyTls12);
  /** Records of the client in; answers, if any, pile up. */
  void take(const Bytes& records);
  void write(const Bytes& plain);
  void close();
  void updateKeys();
  /** Everything to be sent to the client since the last call. */
  Bytes output();
  /** Plain bytes of the client. */
  const Bytes& received() const { return received_; }
  bool isReady() const { return SSL_is_init_finished(ssl_.get()) == 1; }

 private:
  tls::SslContextPtr context_;
  tls::SslPtr ssl_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  Bytes received_;
};

}  // namespace tss::fuzz

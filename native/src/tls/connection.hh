#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "tls/context.hh"
#include "tls/records.hh"

namespace tss::tls {

/** Whom to reach, and how to judge who answers. */
struct Target {
  std::string name;
  bool isAddress = false;  // `name` is an IP address: no SNI, matched against iPAddress names
  Bytes protocols;         // ALPN as on the wire (RFC 7301 §3.1), empty for none
  std::optional<time_t> verifyAt;
  std::string peer;  // key of the session tickets, empty: neither resume nor keep tickets
};

/** What a call produced: bytes for JavaScript, bytes for the peer, and how things stand. */
struct Outcome {
  const uint8_t* data = nullptr;  // valid until the next call on this thread
  size_t dataLength = 0;
  Bytes output;
  bool done = false;  // handshake: finished; afterwards: the peer said close_notify
  std::optional<Failure> failure;
};

/** One TLS client connection without a socket. One call at a time. */
class Connection {
 public:
  Connection(std::shared_ptr<Context> context, const Target& target);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /** The ClientHello. JavaScript thread. */
  Bytes start();
  /** One step of the handshake. The key's thread, where there is a key. */
  Outcome advance(const Bytes& received);
  /** Records of the peer → plain bytes. */
  Outcome receive(const uint8_t* data, size_t length);
  /** Plain bytes → records. @throws Failure */
  Bytes send(const uint8_t* data, size_t length);
  /** close_notify, once. */
  Bytes shutdown();
  /** No signature will be asked for any more. Any thread. */
  void unhold();

  SSL* ssl() const { return ssl_.get(); }
  const std::shared_ptr<Context>& context() const { return context_; }
  static int onTicket(SSL* ssl, SSL_SESSION* session);

 private:
  void requireUsable() const;
  std::optional<Failure> judge(int handshakeResult) const;
  static int onCertificateWanted(SSL* ssl, void* connection);

  const std::shared_ptr<Context> context_;
  const std::string peer_;
  Records records_;
  SslPtr ssl_;
  std::atomic<bool> holds_{false};
  bool failed_ = false;
  bool certificateWanted_ = false;  // the server has sent a CertificateRequest
};

}  // namespace tss::tls

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
  bool done = false;      // handshake: finished; afterwards: the peer said close_notify
  bool wantsKey = false;  // handshake: it goes on with `proceed`
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
  /** One step of the handshake, up to the signature of a key that has a thread of its own. JavaScript thread.
   */
  Outcome advance(const uint8_t* data, size_t length);
  /** The step from there. The key's thread. */
  Outcome proceed();
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
  static void onMessage(int isSent, int version, int contentType, const void* message, size_t length,
                        SSL* ssl, void* self);
  void requireUsable() const;
  Outcome step();
  std::optional<Failure> judge(int handshakeResult) const;
  static int onCertificateWanted(SSL* ssl, void* connection);

  const std::shared_ptr<Context> context_;
  const std::string peer_;
  Records records_;
  SslPtr ssl_;
  std::atomic<bool> holds_{false};
  bool onKeyThread_ = false;
  bool failed_ = false;
  unsigned messagesWithoutData_ = 0;  // since the handshake, or since the last plain byte of the peer
  bool certificateWanted_ = false;    // the server has sent a CertificateRequest
};

}  // namespace tss::tls

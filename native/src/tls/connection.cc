#include "tls/connection.hh"

#include <openssl/err.h>

#include <ctime>

#include "tls/errors.hh"
#include "tls/provider.hh"

namespace tss::tls {
namespace {

// Plain text is never longer than its records; what libssl may hold back of one record comes on top.
constexpr size_t kRecordRoom = 32 * 1024;

// Tickets and key updates cost us more than the server: so many are taken between two pieces of its data.
// OpenSSL itself sets no limit (BoringSSL and Go do: 32 and 16).
constexpr unsigned kMaxMessagesWithoutData = 32;

void require(int done, const char* what) {
  if (done != 1) throw Failure("ARGUMENT_INVALID", std::string(what) + ": " + lastReason());
}

void aim(SSL* ssl, const Target& target) {
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
  if (target.isAddress) {
    require(X509_VERIFY_PARAM_set1_ip_asc(parameters, target.name.c_str()), "not an IP address");
  } else {
    // A leading dot would match every subdomain (X509_check_host(3)).
    const bool isName = !target.name.empty() && target.name[0] != '.';
    require(!isName ? 0 : SSL_set1_host(ssl, target.name.c_str()), "not a host name");
    require(static_cast<int>(SSL_set_tlsext_host_name(ssl, target.name.c_str())), "not a host name");
  }
  if (target.verifyAt) X509_VERIFY_PARAM_set_time(parameters, *target.verifyAt);
  if (!target.protocols.empty() &&
      SSL_set_alpn_protos(ssl, target.protocols.data(), static_cast<unsigned>(target.protocols.size())) != 0)
    throw Failure("ARGUMENT_INVALID", "the ALPN protocols are malformed");
}

}  // namespace

Connection::Connection(std::shared_ptr<Context> context, const Target& target)
    : context_(std::move(context)), peer_(target.peer), ssl_(SSL_new(context_->get())) {
  if (!ssl_) throw Failure("TLS_PROTOCOL", "OpenSSL makes no connection: " + lastReason());
  SSL_set_connect_state(ssl_.get());
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_cert_cb(ssl_.get(), onCertificateWanted, this);
  SSL_set_msg_callback(ssl_.get(), onMessage);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  records_.attach(ssl_.get());
  aim(ssl_.get(), target);
  const SessionPtr session =
      peer_.empty() ? nullptr
                    : context_->sessions().take(peer_, target.verifyAt.value_or(std::time(nullptr)));
  if (session) {
    SSL_set_session(ssl_.get(), session.get());
  } else if (context_->signer()) {
    // A resumed session needs no signature; every other one does, and the TPM can get ready meanwhile.
    holds_ = true;
    context_->signer()->hold();
  }
}

Connection::~Connection() { unhold(); }

void Connection::unhold() {
  if (holds_.exchange(false)) context_->signer()->release();
}

void Connection::requireUsable() const {
  if (failed_) throw Failure("TLS_PROTOCOL", "this connection has failed");
}

Bytes Connection::start() {
  const Outcome outcome = advance(nullptr, 0);
  if (outcome.failure) throw *outcome.failure;
  return outcome.output;
}

Outcome Connection::advance(const uint8_t* data, size_t length) {
  requireUsable();
  // The server has spoken: once that is verified its answer wants a signature.
  if (holds_ && length > 0) context_->signer()->alert();
  records_.feed(data, length);
  return step();
}

Outcome Connection::proceed() {
  requireUsable();
  onKeyThread_ = true;
  return step();
}

Outcome Connection::step() {
  ERR_clear_error();
  Outcome outcome;
  const int result = SSL_do_handshake(ssl_.get());
  outcome.wantsKey = SSL_want(ssl_.get()) == SSL_X509_LOOKUP;
  if (!outcome.wantsKey) outcome.failure = judge(result);
  failed_ = outcome.failure.has_value();
  outcome.done = result == 1 && !failed_;
  if (outcome.done) messagesWithoutData_ = 0;
  records_.settle();
  outcome.output = records_.take();
  if (outcome.done || outcome.failure) unhold();
  return outcome;
}

std::optional<Failure> Connection::judge(int handshakeResult) const {
  SSL* const ssl = ssl_.get();
  if (handshakeResult == 1) {
    // Without it a TLS 1.2 session can be spliced into another one (RFC 7627 §1).
    if (SSL_version(ssl) == TLS1_2_VERSION && SSL_get_extms_support(ssl) != 1)
      return Failure("TLS_PROTOCOL", "the server's TLS 1.2 knows no extended master secret (RFC 7627)");
    return std::nullopt;
  }
  if (SSL_get_error(ssl, handshakeResult) == SSL_ERROR_WANT_READ) return std::nullopt;
  return connectionFailure(ssl, certificateWanted_);
}

Outcome Connection::receive(const uint8_t* data, size_t length) {
  requireUsable();
  ERR_clear_error();
  Outcome outcome;
  records_.feed(data, length);
  static thread_local Bytes plain;
  if (plain.size() < length + kRecordRoom) plain.resize(length + kRecordRoom);
  size_t used = 0;
  for (;;) {
    size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), plain.data() + used, plain.size() - used, &got);
    if (result == 1) {
      messagesWithoutData_ = 0;
      used += got;
      if (used == plain.size()) plain.resize(used + kRecordRoom);
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) {
      outcome.done = true;
    } else if (error != SSL_ERROR_WANT_READ) {
      failed_ = true;
      outcome.failure = connectionFailure(ssl_.get());
    } else if (messagesWithoutData_ > kMaxMessagesWithoutData) {
      failed_ = true;
      outcome.failure = Failure("TLS_PROTOCOL", "TLS failed: too many handshake messages without data");
    }
    break;
  }
  outcome.data = plain.data();
  outcome.dataLength = used;
  records_.settle();
  outcome.output = records_.take();
  return outcome;
}

Bytes Connection::send(const uint8_t* data, size_t length) {
  requireUsable();
  ERR_clear_error();
  size_t written = 0;
  if (SSL_write_ex(ssl_.get(), data, length, &written) != 1) {
    failed_ = true;
    throw connectionFailure(ssl_.get());
  }
  return records_.take();
}

Bytes Connection::shutdown() {
  if (failed_ || SSL_is_init_finished(ssl_.get()) != 1 ||
      (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0)
    return {};
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  return records_.take();
}

int Connection::onCertificateWanted(SSL*, void* connection) {
  auto* const self = static_cast<Connection*>(connection);
  self->certificateWanted_ = true;
  // Everything else of a handshake costs less than waking a thread for it: only the signature goes to one.
  return self->context_->signer() && !self->onKeyThread_ ? -1 : 1;
}

void Connection::onMessage(int isSent, int, int contentType, const void*, size_t, SSL*, void* self) {
  if (isSent == 0 && contentType == SSL3_RT_HANDSHAKE) static_cast<Connection*>(self)->messagesWithoutData_++;
}

int Connection::onTicket(SSL* ssl, SSL_SESSION* session) {
  auto* const self = static_cast<Connection*>(SSL_get_app_data(ssl));
  if (self->peer_.empty()) return 0;
  self->context_->sessions().put(self->peer_, SessionPtr(session));
  return 1;
}

}  // namespace tss::tls

#include "tls/errors.hh"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "tls/provider.hh"

namespace tss::tls {
namespace {

const char* verifyCode(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "SERVER_EXPIRED";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "SERVER_WRONG_HOST";
    default:
      return "SERVER_UNTRUSTED";
  }
}

/** The alerts with which a server turns down the client's certificate (RFC 8446 §6.2). */
bool refusesCertificate(int reason, bool certificateWanted) {
  switch (reason) {
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      // TLS 1.2 has no alert of its own for a certificate that is missing (RFC 5246 §7.4.6).
      return certificateWanted;
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string lastReason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "no reason given" : reason;
}

Failure connectionFailure(SSL* ssl, bool certificateWanted) {
  const auto signFailure = takeSignFailure();
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  if (signFailure) {
    ERR_clear_error();
    return *signFailure;
  }
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    ERR_clear_error();
    const long result = SSL_get_verify_result(ssl);
    return Failure(verifyCode(result), std::string("the server's certificate was refused: ") +
                                           X509_verify_cert_error_string(result));
  }
  const std::string text = lastReason();
  if (refusesCertificate(reason, certificateWanted))
    return Failure("SERVER_REFUSED_CERTIFICATE", "the server refused the client certificate: " + text);
  return Failure("TLS_PROTOCOL", "TLS failed: " + text);
}

}  // namespace tss::tls

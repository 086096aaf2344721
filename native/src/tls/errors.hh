#pragma once

#include <openssl/ssl.h>

#include "failure.hh"

namespace tss::tls {

/**
 * The failure behind an SSL_ERROR_SSL of this thread, as a code of `api.ts`. Empties OpenSSL's error queue.
 * @param certificateWanted the handshake is under way and the server has asked for our certificate
 */
Failure connectionFailure(SSL* ssl, bool certificateWanted = false);

/** OpenSSL's last reason on this thread in its own words. Empties the queue. */
std::string lastReason();

}  // namespace tss::tls

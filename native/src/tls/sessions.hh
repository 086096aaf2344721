#pragma once

#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "tls/library.hh"

namespace tss::tls {

/** Tickets for resumption, by peer. Belongs to one context, hence to one identity and one set of trust
 * anchors. */
class Sessions {
 public:
  void put(const std::string& peer, SessionPtr session);
  /**
   * A ticket not used before (RFC 8446 §C.4), or null.
   * @param now Unix seconds: a server certificate that has expired since is not resumed past its end
   */
  SessionPtr take(const std::string& peer, time_t now);

 private:
  std::mutex mutex_;
  std::map<std::string, std::deque<SessionPtr>> tickets_;
};

}  // namespace tss::tls

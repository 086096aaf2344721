#include "tls/sessions.hh"

namespace tss::tls {
namespace {

// A server may send tickets without end; two are what servers send at once.
constexpr size_t kTicketsPerPeer = 2;
constexpr size_t kPeers = 16;

bool isCurrent(SSL_SESSION* session, time_t now) {
  X509* const leaf = SSL_SESSION_get0_peer(session);
  return SSL_SESSION_is_resumable(session) == 1 && leaf != nullptr &&
         X509_cmp_time(X509_get0_notAfter(leaf), &now) > 0 &&
         X509_cmp_time(X509_get0_notBefore(leaf), &now) < 0;
}

}  // namespace

void Sessions::put(const std::string& peer, SessionPtr session) {
  const std::lock_guard lock(mutex_);
  if (tickets_.count(peer) == 0 && tickets_.size() >= kPeers) tickets_.erase(tickets_.begin());
  auto& tickets = tickets_[peer];
  tickets.push_back(std::move(session));
  if (tickets.size() > kTicketsPerPeer) tickets.pop_front();
}

SessionPtr Sessions::take(const std::string& peer, time_t now) {
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(peer);
  if (found == tickets_.end()) return nullptr;
  while (!found->second.empty()) {
    SessionPtr session = std::move(found->second.back());
    found->second.pop_back();
    if (isCurrent(session.get(), now)) return session;
  }
  return nullptr;
}

}  // namespace tss::tls

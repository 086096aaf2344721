#include "tls/connection.hh"

#include <deque>

#include "input.hh"
#include "peer.hh"

using namespace tss;
using tss::fuzz::require;

namespace {

enum Flag : uint8_t {
  kRaw = 0x80,
  kDemand = 1,
  kSoftwareKey = 2,
  kProviderKey = 4,
  kTls12Server = 8,
  kTls12Client = 16
};

const fuzz::Identity& serverIdentity() {
  static const fuzz::Identity identity = fuzz::makeIdentity();
  return identity;
}
const fuzz::Identity& clientIdentity() {
  static const fuzz::Identity identity = fuzz::makeIdentity();
  return identity;
}

/** One client connection as `stream.ts` and `connect.ts` drive it. */
class Client {
 public:
  Client(uint8_t flags, std::shared_ptr<fuzz::SoftwareSigner> signer) : signer_(std::move(signer)) {
    std::optional<tls::ClientKey> key;
    if ((flags & kProviderKey) != 0) {
      key = tls::ClientKey{clientIdentity().point, nullptr, signer_};
    } else if ((flags & kSoftwareKey) != 0) {
      EVP_PKEY_up_ref(clientIdentity().key.get());
      key = tls::ClientKey{clientIdentity().point, tls::PkeyPtr(clientIdentity().key.get()), nullptr};
    }
    const auto context =
        std::make_shared<tls::Context>(serverIdentity().pem, "", clientIdentity().pem, std::move(key),
                                       (flags & kTls12Client) != 0 ? tls::Oldest::tls12 : tls::Oldest::tls13);
    tls::Target target;
    target.name = "localhost";
    target.peer = "localhost:443";
    target.protocols = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    connection_.emplace(context, target);
  }
  Bytes start() { return connection_->start(); }
  /** @returns what it answers */
  Bytes take(const Bytes& records) {
    if (hasFailed_ || hasEnded_) return {};
    tls::Outcome outcome = isReady_ ? connection_->receive(records.data(), records.size())
                                    : connection_->advance(records.data(), records.size());
    if (outcome.wantsKey) outcome = connection_->proceed();
    received_.insert(received_.end(), outcome.data, outcome.data + outcome.dataLength);
    hasFailed_ = outcome.failure.has_value();
    if (isReady_) {
      hasEnded_ = outcome.done;
      return outcome.output;
    }
    require(outcome.dataLength == 0, "no bytes of the application before the handshake is over");
    isReady_ = outcome.done;
    require(!(isReady_ || hasFailed_) || signer_->holds() == 0,
            "the key is let go when the handshake is over");
    Bytes output = outcome.output;
    // What came in one piece with the end of the handshake is read at once.
    if (isReady_ && !hasFailed_) {
      const Bytes more = take({});
      output.insert(output.end(), more.begin(), more.end());
    }
    return output;
  }
  Bytes write(const Bytes& plain) {
    if (!isReady_ || hasFailed_ || plain.empty()) return {};
    return connection_->send(plain.data(), plain.size());
  }
  Bytes shutdown() { return connection_->shutdown(); }
  bool isReady() const { return isReady_; }
  bool hasFailed() const { return hasFailed_; }
  const Bytes& received() const { return received_; }

 private:
  const std::shared_ptr<fuzz::SoftwareSigner> signer_;
  std::optional<tls::Connection> connection_;
  bool isReady_ = false;
  bool hasFailed_ = false;
  bool hasEnded_ = false;
  Bytes received_;
};

/** What a server or whoever is in its place sends, as it stands, in pieces. */
void feedRaw(Client& client, fuzz::Input& input) {
  client.start();
  while (!input.isEmpty()) client.take(input.bytes(1 + input.byte() * 4u));
  require(!client.isReady(), "nobody without the server's key completes a handshake");
}

/** A server and a client, and between them a line that splits, damages and inserts. */
class Line {
 public:
  Line(Client& client, fuzz::Server& server) : client_(client), server_(server) {
    server_.take(client_.start());
    collect();
  }
  void step(fuzz::Input& input) {
    const uint8_t operation = input.byte();
    const size_t size = 1 + input.byte();
    switch (operation & 7) {
      case 0:
        return deliver(size);
      case 1:
        return deliver(size * 256);
      case 2:
        return clientWrites(size * 16);
      case 3:
        return serverWrites(size * 16);
      case 4:
        if (wire_.empty()) return;
        wire_[size % wire_.size()] ^= static_cast<uint8_t>(operation | 1);
        isClean_ = false;
        return;
      case 5: {
        const Bytes foreign = input.bytes(size);
        wire_.insert(wire_.begin() + static_cast<std::ptrdiff_t>(size % (wire_.size() + 1)), foreign.begin(),
                     foreign.end());
        isClean_ = isClean_ && foreign.empty();
        return;
      }
      case 6:
        server_.updateKeys();
        return;
      default:
        if ((operation & 8) != 0)
          server_.take(client_.shutdown());
        else
          server_.close();
        isOpen_ = false;
        collect();
    }
  }
  void finish(bool mustSucceed) {
    for (int turns = 0; !wire_.empty(); turns++) {
      require(turns < 10000, "both sides come to rest");
      deliver(wire_.size());
    }
    if (!isClean_) return;
    if (mustSucceed) require(client_.isReady() && !client_.hasFailed(), "an undisturbed handshake succeeds");
    if (!mustSucceed || !isOpen_) return;
    require(client_.received() == toClient_, "what the server wrote arrives, all of it and in order");
    require(server_.received() == toServer_, "what the client wrote arrives, all of it and in order");
  }

 private:
  void deliver(size_t size) {
    const size_t length = std::min(size, wire_.size());
    const Bytes piece(wire_.begin(), wire_.begin() + static_cast<std::ptrdiff_t>(length));
    wire_.erase(wire_.begin(), wire_.begin() + static_cast<std::ptrdiff_t>(length));
    server_.take(client_.take(piece));
    collect();
  }
  void clientWrites(size_t size) {
    if (!client_.isReady() || client_.hasFailed() || !isOpen_) return;
    const Bytes plain(size, static_cast<uint8_t>(size));
    toServer_.insert(toServer_.end(), plain.begin(), plain.end());
    server_.take(client_.write(plain));
    collect();
  }
  void serverWrites(size_t size) {
    if (!server_.isReady() || !isOpen_) return;
    const Bytes plain(size, static_cast<uint8_t>(size));
    toClient_.insert(toClient_.end(), plain.begin(), plain.end());
    server_.write(plain);
    collect();
  }
  void collect() {
    const Bytes records = server_.output();
    wire_.insert(wire_.end(), records.begin(), records.end());
  }

  Client& client_;
  fuzz::Server& server_;
  std::deque<uint8_t> wire_;
  Bytes toClient_;
  Bytes toServer_;
  bool isClean_ = true;
  bool isOpen_ = true;
};

}  // namespace

/**
 * A TLS connection's feed. The first byte chooses the parties; what follows is either what the peer sends
 * (kRaw), or a script for the line between the client and a real server.
 */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint8_t flags = input.byte();
  const auto signer = std::make_shared<fuzz::SoftwareSigner>(clientIdentity());
  {
    Client client(flags, signer);
    if ((flags & kRaw) != 0) {
      feedRaw(client, input);
    } else {
      fuzz::Server server(serverIdentity(), clientIdentity(), (flags & kDemand) != 0,
                          (flags & kTls12Server) != 0);
      Line line(client, server);
      while (!input.isEmpty()) line.step(input);
      const bool versionFits = (flags & kTls12Server) == 0 || (flags & kTls12Client) != 0;
      const bool identityFits = (flags & kDemand) == 0 || (flags & (kSoftwareKey | kProviderKey)) != 0;
      line.finish(versionFits && identityFits);
    }
  }
  require(signer->holds() == 0, "the key is let go with the connection");
  return 0;
}

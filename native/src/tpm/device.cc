#include "tpm/device.hh"

#include <chrono>
#include <cstring>
#include <thread>

#include "tpm/leftovers.hh"
#include "tpm/operations.hh"
#include "tpm/template.hh"

namespace tss::tpm {
namespace {

// ESYS resubmits five times by itself before we hear of it.
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{800};

}  // namespace

Device::Device(std::string tcti, std::string ownerAuth, bool keepLoaded)
    : tcti_(std::move(tcti)),
      ownerAuth_(std::move(ownerAuth)),
      managed_(hasResourceManager(tcti_)),
      keepsLoaded_(managed_ || keepLoaded) {}

template <typename Operation>
auto Device::attempt(Operation operation) -> decltype(operation()) {
  std::set<int> tried;
  auto pause = kFirstPause;
  for (;;) {
    try {
      if (!esys_) connect();
      return operation();
    } catch (const Failure& failure) {
      const Fault fault = failure.rc() == 0 ? Fault::other : faultOf(failure.rc());
      if (fault == Fault::retry && pause <= kLongestPause) {
        std::this_thread::sleep_for(pause);
        pause *= 2;
        continue;
      }
      recover(failure, tried);
    }
  }
}

/** Removes the cause of a failure, each cause once; rethrows what it cannot remove. */
void Device::recover(const Failure& failure, std::set<int>& tried) {
  const Fault fault = failure.rc() == 0 ? Fault::other : faultOf(failure.rc());
  if (fault == Fault::lockedOut) refuseLockedOut(failure);
  if (!esys_ || !tried.insert(static_cast<int>(fault)).second) throw failure;
  switch (fault) {
    case Fault::connection:
      connect();
      return;
    case Fault::notStarted:
      check(Esys_Startup(*esys_, TPM2_SU_CLEAR), Step::startup);
      return;
    case Fault::slotsFull:
    case Fault::handleGone:
      flushOwn();
      return;
    default:
      throw failure;
  }
}

void Device::refuseLockedOut(const Failure& failure) {
  const UINT32 seconds = readProperty(*esys_, TPM2_PT_LOCKOUT_INTERVAL);
  throw Failure(failure.code(), "the TPM is in lockout for " + std::to_string(seconds) + " s", failure.rc());
}

void Device::open() { esys_ = std::make_unique<Esys>(tcti_); }

/** Connect, again where there was a connection: what was loaded through it is out of reach. */
void Device::connect() {
  for (const auto& key : keys_) key->object = ESYS_TR_NONE;
  broken_ = false;
  esys_.reset();
  open();
  if (managed_) {
    sessions_.clear();
    return;
  }
  flushLeftovers(*esys_, keys_);
  flushSessions(*esys_, sessions_);
}

Info Device::info() {
  // What only waits for the queue to run dry is not in use.
  flushIdle();
  return attempt([&] { return readInfo(*esys_); });
}

KeyBlob Device::create() {
  return attempt([&] { return createKey(*esys_, ownerAuth_, signingKeyTemplate()); });
}

KeyBlob Device::createAttestationKey() {
  return attempt([&] { return createKey(*esys_, ownerAuth_, attestationKeyTemplate()); });
}

std::vector<StoredCertificate> Device::storedCertificates() {
  return attempt([&] { return readStoredCertificates(*esys_); });
}

Endorsement Device::endorsement(EndorsementKind kind) {
  return attempt([&] {
    const EndorsementKey key(*esys_, kind);
    return Endorsement{key.handle(), toBytes(key.publicArea())};
  });
}

template <typename Operation>
auto Device::attemptWith(const std::shared_ptr<Key>& guest, Operation operation) -> decltype(operation()) {
  struct Stay {
    Device& device;
    const std::shared_ptr<Key>& key;
    ~Stay() { device.forget(key); }
  };
  keys_.insert(guest);
  const Stay stay{*this, guest};
  return attempt([&] {
    // What a process that was killed in the middle of this has left behind.
    if (!managed_) flushLeftovers(*esys_, keys_);
    return operation();
  });
}

Bytes Device::activate(EndorsementKind kind, const std::shared_ptr<Key>& attestationKey,
                       const Credential& credential) {
  return attemptWith(attestationKey, [&] {
    return activateCredential(*esys_, kind, ensureLoaded(attestationKey), credential, sessions_);
  });
}

Certification Device::certify(const std::shared_ptr<Key>& key, const std::shared_ptr<Key>& attestationKey,
                              const Bytes& qualifyingData) {
  return attemptWith(attestationKey, [&] {
    // First what takes its parent's slot besides its own; the other one comes from its saved copy.
    const ESYS_TR attesting = ensureLoaded(attestationKey);
    return certifyKey(*esys_, ensureLoaded(key), attesting, qualifyingData);
  });
}

void Device::load(const std::shared_ptr<Key>& key) {
  keys_.insert(key);
  try {
    attempt([&] {
      if (!managed_) flushLeftovers(*esys_, keys_);
      return ensureLoaded(key);
    });
  } catch (...) {
    forget(key);
    throw;
  }
}

Bytes Device::sign(const std::shared_ptr<Key>& key, const Digest& digest) {
  if (key->refusal) throw *key->refusal;
  try {
    return attempt([&] { return signDigest(*esys_, ensureLoaded(key), digest); });
  } catch (const Failure& failure) {
    if (std::strcmp(failure.code(), "KEY_AUTH") == 0) key->refusal = failure;
    throw;
  }
}

void Device::hold(const std::shared_ptr<Key>& key) noexcept {
  key->holds++;
  try {
    attempt([&] { return ensureLoaded(key); });
  } catch (const std::exception&) {
    // The signature, if it is ever asked for, meets the same failure and reports it.
  }
}

void Device::release(const std::shared_ptr<Key>& key) noexcept { key->holds--; }

void Device::forget(const std::shared_ptr<Key>& key) noexcept {
  flush(*key);
  mend();
  keys_.erase(key);
}

void Device::flushIdle() noexcept {
  if (keepsLoaded_) return;
  for (const auto& key : keys_)
    if (key->holds == 0) flush(*key);
  mend();
}

void Device::shutdown() noexcept {
  flushOwn();
  // An attempt that failed may have left something behind, and this is the last chance to see to it.
  broken_ = broken_ || !esys_ || !sessions_.empty();
  mend();
  keys_.clear();
  esys_.reset();
}

ESYS_TR Device::ensureLoaded(const std::shared_ptr<Key>& key) {
  if (keys_.count(key) == 0) throw Failure("KEY_CLOSED", "this key was closed");
  if (key->object == ESYS_TR_NONE) loadKey(*esys_, *key, ownerAuth_, !managed_);
  return key->object;
}

void Device::flush(Key& key) noexcept {
  if (key.object == ESYS_TR_NONE || !esys_) return;
  ESYS_TR object = key.object;
  key.object = ESYS_TR_NONE;
  const TSS2_RC rc = Esys_FlushContext(*esys_, object);
  if (rc == TSS2_RC_SUCCESS) return;
  broken_ = broken_ || faultOf(rc) == Fault::connection;
  Esys_TR_Close(*esys_, &object);
}

/** What could not be flushed through a broken connection is flushed through a new one. */
void Device::mend() noexcept {
  if (!broken_ || managed_ || (keys_.empty() && sessions_.empty())) return;
  try {
    connect();
  } catch (const std::exception&) {
    // The next command tries again, and reports it.
  }
}

void Device::flushOwn() noexcept {
  for (const auto& key : keys_) flush(*key);
}

}  // namespace tss::tpm

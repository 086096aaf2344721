#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tpm/endorsement.hh"
#include "tpm/esys.hh"
#include "tpm/key.hh"

namespace tss::tpm {

/** The dictionary-attack lockout (TPM 2.0 part 1, §19.8); times in seconds. */
struct Lockout {
  bool active = false;
  uint32_t failures = 0;
  uint32_t maxFailures = 0;
  uint32_t intervalSeconds = 0;
  uint32_t recoverySeconds = 0;
};

/** What TPM2_GetCapability tells of the TPM. */
struct Info {
  std::string manufacturer;
  std::string vendor;
  std::string firmware;
  uint32_t transientObjects = 0;
  uint32_t transientFree = 0;
  /** That of new keys, as `chooseParent` finds it. */
  uint32_t parent = 0;
  bool ownerAuthSet = false;
  bool curveP256 = false;
  Lockout lockout;
};

/** One TPM. Every member function runs on its one thread, where nothing else is said. */
class Device {
 public:
  /** @param keepLoaded leave keys in the TPM between signatures though nothing manages its slots */
  Device(std::string tcti, std::string ownerAuth, bool keepLoaded);

  /** Keys stay in the TPM once they were loaded. Any thread. */
  bool keepsLoaded() const { return keepsLoaded_; }
  /** @throws Failure TPM_ABSENT, TPM_ACCESS_DENIED, TPM_CONNECTION */
  void open();
  Info info();
  KeyBlob create();
  /** A restricted signing key under the same parent. */
  KeyBlob createAttestationKey();
  std::vector<StoredCertificate> storedCertificates();
  /** @throws Failure TPM_ENDORSEMENT_AUTH, ENDORSEMENT_UNSUPPORTED */
  Endorsement endorsement(EndorsementKind kind);
  /** @throws Failure CREDENTIAL_REFUSED, TPM_ENDORSEMENT_AUTH, KEY_LOST, … */
  Bytes activate(EndorsementKind kind, const std::shared_ptr<Key>& attestationKey,
                 const Credential& credential);
  /** @throws Failure KEY_CLOSED for a key that is not open here, KEY_LOST, … */
  Certification certify(const std::shared_ptr<Key>& key, const std::shared_ptr<Key>& attestationKey,
                        const Bytes& qualifyingData);
  /** Proves that this TPM can use the key. @throws Failure KEY_LOST, KEY_INVALID, PARENT_MISSING, … */
  void load(const std::shared_ptr<Key>& key);
  /** @returns Ecdsa-Sig-Value, DER */
  Bytes sign(const std::shared_ptr<Key>& key, const Digest& digest);
  /** A signature is expected soon: load now, so that it need not wait. Failures show when it is asked for. */
  void hold(const std::shared_ptr<Key>& key) noexcept;
  void release(const std::shared_ptr<Key>& key) noexcept;
  /** The key is not used any more. */
  void forget(const std::shared_ptr<Key>& key) noexcept;
  /** Raw TPMs have three slots: leave none of them taken behind a job, unless told otherwise. */
  void flushIdle() noexcept;
  /** Flush everything of ours and end the connection. Idempotent. */
  void shutdown() noexcept;

 private:
  /** Runs a command; removes what stood in its way, each cause once, and runs it again. */
  template <typename Operation>
  auto attempt(Operation operation) -> decltype(operation());
  /** `attempt` with this key loaded besides, and flushed behind it. */
  template <typename Operation>
  auto attemptWith(const std::shared_ptr<Key>& guest, Operation operation) -> decltype(operation());
  void recover(const Failure& failure, std::set<int>& tried);
  void connect();
  ESYS_TR ensureLoaded(const std::shared_ptr<Key>& key);
  void flush(Key& key) noexcept;
  void flushOwn() noexcept;
  void mend() noexcept;
  [[noreturn]] void refuseLockedOut(const Failure& failure);

  const std::string tcti_;
  const std::string ownerAuth_;
  const bool managed_;
  const bool keepsLoaded_;
  std::unique_ptr<Esys> esys_;
  bool broken_ = false;  // a flush did not get through
  std::set<std::shared_ptr<Key>> keys_;
  OpenSessions sessions_;
};

}  // namespace tss::tpm

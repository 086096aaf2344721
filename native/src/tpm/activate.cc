#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "tpm/endorsement.hh"
#include "tpm/operations.hh"

namespace tss::tpm {
namespace {

/** A session salted with the endorsement key: only this TPM learns its key, so what it encrypts stays off the
 * bus. */
class SaltedSession {
 public:
  SaltedSession(const Esys& esys, const EndorsementKey& salt, TPM2_SE type, OpenSessions& all)
      : esys_(esys), all_(all) {
    TPMT_SYM_DEF symmetric{};
    symmetric.algorithm = TPM2_ALG_AES;
    symmetric.keyBits.aes = 128;
    symmetric.mode.aes = TPM2_ALG_CFB;
    check(Esys_StartAuthSession(esys, salt.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                nullptr, type, &symmetric, TPM2_ALG_SHA256, &session_),
          Step::endorsement);
    TPM2_HANDLE handle = 0;
    if (Esys_TR_GetTpmHandle(esys, session_, &handle) == TSS2_RC_SUCCESS) all_.insert(handle);
    handle_ = handle;
    // Continued, and flushed by us on every path: one that ends by itself ends only where its command
    // succeeds.
    constexpr TPMA_SESSION kUse = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
    const TSS2_RC rc = Esys_TRSess_SetAttributes(esys, session_, kUse, 0xff);
    if (rc == TSS2_RC_SUCCESS) return;
    flush();
    check(rc, Step::endorsement);
  }
  ~SaltedSession() { flush(); }
  SaltedSession(const SaltedSession&) = delete;
  SaltedSession& operator=(const SaltedSession&) = delete;
  ESYS_TR get() const { return session_; }

 private:
  void flush() {
    if (Esys_FlushContext(esys_, session_) == TSS2_RC_SUCCESS) all_.erase(handle_);
  }

  const Esys& esys_;
  OpenSessions& all_;
  ESYS_TR session_ = ESYS_TR_NONE;
  TPM2_HANDLE handle_ = 0;
};

}  // namespace

Credential::Credential(const Bytes& blob, const Bytes& encryptedSecret) {
  const auto parse = [](const Bytes& bytes, auto unmarshal, auto* to) {
    size_t offset = 0;
    const TSS2_RC rc = unmarshal(bytes.data(), bytes.size(), &offset, to);
    if (rc != TSS2_RC_SUCCESS || offset != bytes.size() || to->size == 0)
      throw Failure("ARGUMENT_INVALID",
                    "the credential does not parse as TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET");
  };
  parse(blob, Tss2_MU_TPM2B_ID_OBJECT_Unmarshal, &idObject);
  parse(encryptedSecret, Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal, &secret);
}

Bytes activateCredential(const Esys& esys, EndorsementKind kind, ESYS_TR attestationKey,
                         const Credential& credential, OpenSessions& sessions) {
  const EndorsementKey key(esys, kind);
  const bool policy = key.auth() == EndorsementAuth::policy;
  const SaltedSession session(esys, key, policy ? TPM2_SE_POLICY : TPM2_SE_HMAC, sessions);
  if (policy)
    check(Esys_PolicySecret(esys, ESYS_TR_RH_ENDORSEMENT, session.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                            ESYS_TR_NONE, nullptr, nullptr, nullptr, 0, nullptr, nullptr),
          Step::endorsement);
  TPM2B_DIGEST* recovered = nullptr;
  check(Esys_ActivateCredential(esys, attestationKey, key.get(), ESYS_TR_PASSWORD, session.get(),
                                ESYS_TR_NONE, &credential.idObject, &credential.secret, &recovered),
        Step::activate);
  const Owned<TPM2B_DIGEST> owned(recovered);
  return Bytes(recovered->buffer, recovered->buffer + recovered->size);
}

}  // namespace tss::tpm

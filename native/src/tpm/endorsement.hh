#pragma once

#include <optional>
#include <set>
#include <vector>

#include "bytes.hh"
#include "tpm/esys.hh"

namespace tss::tpm {

/** The endorsement keys that are understood (TCG EK Credential Profile 2.5, appendix B). */
enum class EndorsementKind {
  rsa2048,  // template L-1
  eccP256,  // template L-2
  eccP384,  // template H-3
};

/** What the TPM's maker left in NV: the index, and its bytes as they are. */
struct StoredCertificate {
  TPM2_HANDLE index = 0;
  Bytes bytes;
};

/** An endorsement key as it can be told to others; handle 0 where it is made anew for each use. */
struct Endorsement {
  TPM2_HANDLE handle = 0;
  Bytes publicArea;
};

/** A credential as it came from a verifier. */
struct Credential {
  /** @throws Failure ARGUMENT_INVALID unless both parse to the last byte */
  Credential(const Bytes& blob, const Bytes& encryptedSecret);
  TPM2B_ID_OBJECT idObject{};
  TPM2B_ENCRYPTED_SECRET secret{};
};

/** Handles of sessions of ours that the TPM has not been told to flush, or did not hear it. */
using OpenSessions = std::set<TPM2_HANDLE>;

/** What TPM2_Certify gives: TPMS_ATTEST and TPMT_SIGNATURE, as they travel. */
struct Certification {
  Bytes attest;
  Bytes signature;
};

/** How an endorsement key is authorised. */
enum class EndorsementAuth { password, policy };

/**
 * An endorsement key in use: the persistent one where there is one of this kind, else the primary of the
 * standard template, flushed when it goes out of scope.
 */
class EndorsementKey {
 public:
  /** @throws Failure TPM_ENDORSEMENT_AUTH, ENDORSEMENT_UNSUPPORTED, … */
  EndorsementKey(const Esys& esys, EndorsementKind kind);
  ~EndorsementKey() {
    if (persistent_ != ESYS_TR_NONE) Esys_TR_Close(esys_, &persistent_);
  }
  EndorsementKey(const EndorsementKey&) = delete;
  EndorsementKey& operator=(const EndorsementKey&) = delete;
  ESYS_TR get() const { return persistent_ != ESYS_TR_NONE ? persistent_ : primary_->get(); }
  TPM2_HANDLE handle() const { return handle_; }
  const TPM2B_PUBLIC& publicArea() const { return publicArea_; }
  EndorsementAuth auth() const;

 private:
  bool findPersistent(EndorsementKind kind);
  void createPrimary(EndorsementKind kind);

  const Esys& esys_;
  TPM2_HANDLE handle_ = 0;
  ESYS_TR persistent_ = ESYS_TR_NONE;
  TPM2B_PUBLIC publicArea_{};
  std::optional<Transient> primary_;
};

}  // namespace tss::tpm

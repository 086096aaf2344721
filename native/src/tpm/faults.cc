#include "tpm/faults.hh"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

#include <cstdio>

namespace tss::tpm {
namespace {

// The resource managers (kernel, tabrmd) put their own layer number on codes of the TPM.
constexpr TSS2_RC kResourceManagerTpmLayer = 11u << 16;
constexpr TSS2_RC kResourceManagerLayer = 12u << 16;
constexpr TSS2_RC kTctiLayer = 10u << 16;
constexpr TSS2_RC kEsysBadSequence = 0x70007;

bool fromTpm(TSS2_RC rc) {
  const TSS2_RC layer = rc & 0xff0000;
  return layer == 0 || layer == kResourceManagerTpmLayer || layer == kResourceManagerLayer;
}

/** Format-one codes carry which parameter, handle or session is meant; the reason is what is left. */
TSS2_RC reason(TSS2_RC rc) {
  const TSS2_RC code = rc & 0xffff;
  return (code & TPM2_RC_FMT1) != 0 ? (code & 0x3f) | TPM2_RC_FMT1 : code;
}

struct Verdict {
  const char* code;
  std::string text;
};

Verdict authorisation(Step step) {
  if (step == Step::createPrimary)
    return {"TPM_OWNER_AUTH",
            "TPM owner password needed: set ownerAuth, or provision a parent at 0x81000001"};
  if (step == Step::create || step == Step::load)
    return {"KEY_AUTH", "the parent key asks for a password; only parents without one are supported"};
  if (step == Step::endorsement)
    return {"TPM_ENDORSEMENT_AUTH",
            "the TPM's endorsement hierarchy has a password: its owner has to clear it for attestation"};
  return {"KEY_AUTH", "the TPM refused the key's authorisation; it is not tried again"};
}

Verdict wrongCredential() {
  return {"CREDENTIAL_REFUSED", "this credential was made for another TPM or another attestation key"};
}

Verdict judge(TSS2_RC rc, Step step, TPM2_HANDLE handle) {
  switch (faultOf(rc)) {
    case Fault::connection:
      return {"TPM_CONNECTION", "the connection to the TPM broke"};
    case Fault::slotsFull:
      return {"TPM_SLOTS_FULL", "the TPM has no free object slot: another program holds them"};
    case Fault::lockedOut:
      return {"TPM_LOCKED_OUT", "the TPM is in lockout"};
    case Fault::retry:
      return {"TPM_RETRY", "the TPM is busy and did not answer in time"};
    case Fault::integrity:
      if (step == Step::load) return {"KEY_LOST", "this key was made by another TPM or the TPM was cleared"};
      if (step == Step::activate) return wrongCredential();
      break;
    default:
      break;
  }
  if (!fromTpm(rc)) return {step == Step::load ? "KEY_INVALID" : "TPM_FAILED", "the request was refused"};
  const TSS2_RC why = reason(rc);
  if (why == TPM2_RC_AUTH_FAIL || why == TPM2_RC_BAD_AUTH) return authorisation(step);
  if (why == TPM2_RC_HANDLE && step == Step::parent)
    return {"PARENT_MISSING", "parent " + hex(handle) + " is missing from this TPM"};
  if (step == Step::load && (why & TPM2_RC_FMT1) != 0)
    return {"KEY_INVALID", "the TPM does not accept this key blob"};
  if (step == Step::activate && (why & TPM2_RC_FMT1) != 0) return wrongCredential();
  if (step == Step::endorsement && (why & TPM2_RC_FMT1) != 0)
    return {"ENDORSEMENT_UNSUPPORTED", "the TPM has no such endorsement key"};
  if (why == TPM2_RC_HIERARCHY && step == Step::endorsement)
    return {"ENDORSEMENT_UNSUPPORTED", "the TPM's endorsement hierarchy is switched off in the firmware"};
  if (why == TPM2_RC_FAILURE)
    return {"TPM_FAILED", "the TPM is in failure mode: switch the machine off and on"};
  return {"TPM_FAILED", "the TPM refused the command"};
}

}  // namespace

std::string hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}

Fault faultOf(TSS2_RC rc) {
  if ((rc & 0xff0000) == kTctiLayer || rc == kEsysBadSequence) return Fault::connection;
  if (!fromTpm(rc)) return Fault::other;
  switch (reason(rc)) {
    case TPM2_RC_INITIALIZE:
      return Fault::notStarted;
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
      return Fault::slotsFull;
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_RETRY:
    case TPM2_RC_NV_RATE:
      return Fault::retry;
    case TPM2_RC_REFERENCE_H0:
      return Fault::handleGone;
    case TPM2_RC_LOCKOUT:
      return Fault::lockedOut;
    case TPM2_RC_INTEGRITY:
      return Fault::integrity;
    default:
      return Fault::other;
  }
}

void check(TSS2_RC rc, Step step, TPM2_HANDLE handle) {
  if (rc == TSS2_RC_SUCCESS) return;
  const Verdict verdict = judge(rc, step, handle);
  throw Failure(verdict.code, verdict.text + " (" + hex(rc) + ": " + Tss2_RC_Decode(rc) + ")", rc);
}

}  // namespace tss::tpm

#include "tpm/endorsement.hh"

#include <algorithm>

#include "tpm/operations.hh"
#include "tpm/template.hh"

namespace tss::tpm {
namespace {

// Where the TCG's provisioning guidance puts persistent endorsement keys (§7.8).
constexpr TPM2_HANDLE kFirst = 0x81010000;
constexpr TPM2_HANDLE kLast = 0x810100ff;

Owned<TPM2B_PUBLIC> readPublic(const Esys& esys, ESYS_TR object, TPM2_HANDLE handle) {
  TPM2B_PUBLIC* area = nullptr;
  check(Esys_ReadPublic(esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr, nullptr),
        Step::endorsement, handle);
  return Owned<TPM2B_PUBLIC>(area);
}

/** A decryption key of this TPM alone, of the algorithm that the kind names: what a maker has certified may
 * differ from today's templates in the rest. */
bool isOfKind(const TPMT_PUBLIC& area, EndorsementKind kind) {
  constexpr TPMA_OBJECT kMust = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED |
                                TPMA_OBJECT_DECRYPT;
  const TPMT_PUBLIC wanted = endorsementTemplate(kind).publicArea;
  if ((area.objectAttributes & kMust) != kMust || (area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) != 0)
    return false;
  if (area.type != wanted.type) return false;
  return area.type == TPM2_ALG_RSA ? area.parameters.rsaDetail.keyBits == wanted.parameters.rsaDetail.keyBits
                                   : area.parameters.eccDetail.curveID == wanted.parameters.eccDetail.curveID;
}

}  // namespace

EndorsementKey::EndorsementKey(const Esys& esys, EndorsementKind kind) : esys_(esys) {
  if (!findPersistent(kind)) createPrimary(kind);
}

bool EndorsementKey::findPersistent(EndorsementKind kind) {
  for (const TPM2_HANDLE handle : handlesFrom(esys_, kFirst, kLast)) {
    ESYS_TR object = ESYS_TR_NONE;
    check(Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object),
          Step::endorsement, handle);
    persistent_ = object;  // closed with this object, also when what follows fails
    const auto area = readPublic(esys_, object, handle);
    if (isOfKind(area->publicArea, kind)) {
      publicArea_ = *area;
      handle_ = handle;
      return true;
    }
    Esys_TR_Close(esys_, &persistent_);
    persistent_ = ESYS_TR_NONE;
  }
  return false;
}

void EndorsementKey::createPrimary(EndorsementKind kind) {
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = endorsementTemplate(kind);
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  ESYS_TR object = ESYS_TR_NONE;
  TPM2B_PUBLIC* area = nullptr;
  check(Esys_CreatePrimary(esys_, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &sensitive, &wanted, &outside, &registers, &object, &area, nullptr, nullptr,
                           nullptr),
        Step::endorsement);
  const Owned<TPM2B_PUBLIC> owned(area);
  primary_.emplace(esys_, object);
  publicArea_ = *area;
}

EndorsementAuth EndorsementKey::auth() const {
  const TPMT_PUBLIC& area = publicArea_.publicArea;
  if ((area.objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0) return EndorsementAuth::password;
  // PolicyA, TPM2_PolicySecret(TPM_RH_ENDORSEMENT): the one policy of the templates without a password.
  const TPM2B_DIGEST policy = endorsementTemplate(EndorsementKind::rsa2048).publicArea.authPolicy;
  if (area.nameAlg != TPM2_ALG_SHA256 || area.authPolicy.size != policy.size ||
      !std::equal(policy.buffer, policy.buffer + policy.size, area.authPolicy.buffer))
    throw Failure("ENDORSEMENT_UNSUPPORTED",
                  "not supported: the policy of the endorsement key at " + hex(handle_));
  return EndorsementAuth::policy;
}

}  // namespace tss::tpm

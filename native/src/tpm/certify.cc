#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include <algorithm>

#include "tpm/operations.hh"

namespace tss::tpm {

Certification certifyKey(const Esys& esys, ESYS_TR key, ESYS_TR attestationKey, const Bytes& qualifyingData) {
  TPM2B_DATA qualifying{};
  qualifying.size = static_cast<UINT16>(qualifyingData.size());
  std::copy(qualifyingData.begin(), qualifyingData.end(), qualifying.buffer);
  // The attestation key has a scheme of its own.
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  check(Esys_Certify(esys, key, attestationKey, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, ESYS_TR_NONE, &qualifying,
                     &scheme, &attest, &signature),
        Step::certify);
  const Owned<TPM2B_ATTEST> ownedAttest(attest);
  const Owned<TPMT_SIGNATURE> ownedSignature(signature);
  Bytes bytes(sizeof *signature);
  size_t length = 0;
  if (Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes.data(), bytes.size(), &length) != TSS2_RC_SUCCESS)
    throw Failure("TPM_FAILED", "the TPM's signature has no encoding");
  bytes.resize(length);
  return {Bytes(attest->attestationData, attest->attestationData + attest->size), bytes};
}

}  // namespace tss::tpm

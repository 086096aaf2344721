#include <openssl/ecdsa.h>
#include <tss2/tss2_esys.h>

#include <algorithm>

#include "tpm/operations.hh"

namespace tss::tpm {
namespace {

struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

Bytes toDer(const TPMS_SIGNATURE_ECDSA& value) {
  const std::unique_ptr<ECDSA_SIG, FreeSignature> signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(value.signatureR.buffer, value.signatureR.size, nullptr);
  BIGNUM* s = BN_bin2bn(value.signatureS.buffer, value.signatureS.size, nullptr);
  if (!signature || r == nullptr || s == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    throw Failure("TPM_FAILED", "out of memory");
  }
  uint8_t* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  if (length <= 0) throw Failure("TPM_FAILED", "the TPM's signature does not encode");
  const Bytes bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

Bytes signDigest(const Esys& esys, ESYS_TR key, const Digest& digest) {
  TPM2B_DIGEST hash{};
  hash.size = static_cast<UINT16>(digest.size());
  std::copy(digest.begin(), digest.end(), hash.buffer);
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  // A null ticket: unrestricted keys sign digests that the TPM did not make itself.
  TPMT_TK_HASHCHECK ticket{};
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  TPMT_SIGNATURE* signature = nullptr;
  check(
      Esys_Sign(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &hash, &scheme, &ticket, &signature),
      Step::sign);
  const Owned<TPMT_SIGNATURE> owned(signature);
  if (signature->sigAlg != TPM2_ALG_ECDSA)
    throw Failure("TPM_FAILED", "the TPM answered with another scheme");
  return toDer(signature->signature.ecdsa);
}

}  // namespace tss::tpm

#include "tpm/template.hh"

#include <algorithm>

namespace tss::tpm {
namespace {

TPM2B_PUBLIC eccTemplate(TPMA_OBJECT attributes) {
  TPM2B_PUBLIC result{};
  TPMT_PUBLIC& area = result.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = attributes;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return result;
}

constexpr TPMA_OBJECT kFixed = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                               TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;

constexpr TPMA_OBJECT kEndorsement = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                     TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                                     TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;

/** PolicyA, TPM2_PolicySecret(TPM_RH_ENDORSEMENT), SHA-256 (EK Credential Profile 2.5, appendix B.6.2). */
constexpr uint8_t kPolicyA[] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                                0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                                0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

/** PolicyB for SHA-384 (appendix B.6.3). */
constexpr uint8_t kPolicyB384[] = {0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc,
                                   0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,
                                   0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09,
                                   0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12};

template <size_t size>
void setPolicy(TPMT_PUBLIC& area, const uint8_t (&policy)[size]) {
  area.authPolicy.size = size;
  std::copy_n(policy, size, area.authPolicy.buffer);
}

void setCipher(TPMT_PUBLIC& area, uint16_t bits) {
  TPMT_SYM_DEF_OBJECT& symmetric = area.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = bits;
  symmetric.mode.aes = TPM2_ALG_CFB;
}

/** L-2 on P-256, and what L-1 shares with it. */
TPM2B_PUBLIC lowRange() {
  TPM2B_PUBLIC result = eccTemplate(kEndorsement);
  TPMT_PUBLIC& area = result.publicArea;
  setPolicy(area, kPolicyA);
  setCipher(area, 128);
  area.unique.ecc.x.size = 32;
  area.unique.ecc.y.size = 32;
  return result;
}

/** H-3 on P-384: a password, empty, authorises its use. */
TPM2B_PUBLIC highRange() {
  TPM2B_PUBLIC result = eccTemplate(kEndorsement | TPMA_OBJECT_USERWITHAUTH);
  TPMT_PUBLIC& area = result.publicArea;
  area.nameAlg = TPM2_ALG_SHA384;
  area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
  setPolicy(area, kPolicyB384);
  setCipher(area, 256);
  return result;
}

[[noreturn]] void unsupported(const char* what) {
  throw Failure("KEY_INVALID", std::string("not supported: ") + what);
}

void copyCoordinate(const TPM2B_ECC_PARAMETER& coordinate, uint8_t* to) {
  if (coordinate.size > 32) unsupported("a coordinate of more than 32 bytes");
  // TPMs may leave leading zeroes out; the point's encoding is of fixed length.
  std::copy_n(coordinate.buffer, coordinate.size, to + 32 - coordinate.size);
}

}  // namespace

TPM2B_PUBLIC storagePrimaryTemplate() {
  TPM2B_PUBLIC result = eccTemplate(kFixed | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);
  TPMT_SYM_DEF_OBJECT& symmetric = result.publicArea.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return result;
}

TPM2B_PUBLIC attestationKeyTemplate() {
  TPM2B_PUBLIC result = eccTemplate(kFixed | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT);
  TPMT_ECC_SCHEME& scheme = result.publicArea.parameters.eccDetail.scheme;
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return result;
}

TPM2B_PUBLIC endorsementTemplate(EndorsementKind kind) {
  switch (kind) {
    case EndorsementKind::eccP256:
      return lowRange();
    case EndorsementKind::eccP384:
      return highRange();
    case EndorsementKind::rsa2048:
      break;
  }
  TPM2B_PUBLIC result = lowRange();
  TPMT_PUBLIC& area = result.publicArea;
  area.type = TPM2_ALG_RSA;
  area.parameters = {};
  area.unique = {};
  TPMS_RSA_PARMS& rsa = area.parameters.rsaDetail;
  rsa.symmetric.algorithm = TPM2_ALG_AES;
  rsa.symmetric.keyBits.aes = 128;
  rsa.symmetric.mode.aes = TPM2_ALG_CFB;
  rsa.scheme.scheme = TPM2_ALG_NULL;
  rsa.keyBits = 2048;
  // The low-range templates fill `unique` with zeroes: they are part of what the primary is derived from.
  area.unique.rsa.size = 256;
  return result;
}

TPM2B_PUBLIC signingKeyTemplate() { return eccTemplate(kFixed | TPMA_OBJECT_SIGN_ENCRYPT); }

bool isStorageKey(const TPMT_PUBLIC& area) {
  constexpr TPMA_OBJECT kStorage = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  return area.type == TPM2_ALG_ECC && area.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256 &&
         (area.objectAttributes & kStorage) == kStorage &&
         (area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) == 0;
}

void requireAttestationKey(const TPMT_PUBLIC& area) {
  const TPMT_PUBLIC wanted = attestationKeyTemplate().publicArea;
  const TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  if (area.type != wanted.type || area.nameAlg != wanted.nameAlg || area.authPolicy.size != 0 ||
      area.objectAttributes != wanted.objectAttributes || ecc.curveID != TPM2_ECC_NIST_P256 ||
      ecc.scheme.scheme != TPM2_ALG_ECDSA || ecc.scheme.details.ecdsa.hashAlg != TPM2_ALG_SHA256)
    unsupported("an attestation key that createAttestationKey did not make");
}

void requireSigningKey(const TPMT_PUBLIC& area) {
  if (area.type == TPM2_ALG_RSA) unsupported("an RSA key; P-256 keys only");
  if (area.type != TPM2_ALG_ECC) unsupported("a key that is not ECC");
  const TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  if (ecc.curveID != TPM2_ECC_NIST_P256) unsupported("a curve other than P-256");
  if ((area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) == 0) unsupported("a key that may not sign");
  if ((area.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0)
    unsupported("a restricted key: it cannot sign a TLS transcript");
  if ((area.objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0) unsupported("a key bound to a policy");
  if ((area.objectAttributes & TPMA_OBJECT_FIXEDTPM) == 0) unsupported("a key that can leave this TPM");
  if (ecc.scheme.scheme == TPM2_ALG_NULL) return;
  if (ecc.scheme.scheme != TPM2_ALG_ECDSA || ecc.scheme.details.ecdsa.hashAlg != TPM2_ALG_SHA256)
    unsupported("a signature scheme other than ECDSA with SHA-256");
}

Point pointOf(const TPMT_PUBLIC& area) {
  Point point{};
  point[0] = 0x04;
  copyCoordinate(area.unique.ecc.x, point.data() + 1);
  copyCoordinate(area.unique.ecc.y, point.data() + 33);
  return point;
}

}  // namespace tss::tpm

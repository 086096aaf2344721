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

TPM2B_PUBLIC signingKeyTemplate() { return eccTemplate(kFixed | TPMA_OBJECT_SIGN_ENCRYPT); }

bool isStorageKey(const TPMT_PUBLIC& area) {
  constexpr TPMA_OBJECT kStorage = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  return area.type == TPM2_ALG_ECC && area.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256 &&
         (area.objectAttributes & kStorage) == kStorage &&
         (area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) == 0;
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

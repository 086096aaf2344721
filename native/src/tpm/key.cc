#include "tpm/key.hh"

#include <tss2/tss2_mu.h>

#include "tpm/template.hh"

namespace tss::tpm {
namespace {

/** Empty for what has no encoding. */
template <typename T, typename Marshal>
Bytes write(const T& value, Marshal marshal) {
  Bytes bytes(sizeof(T));
  size_t offset = 0;
  const TSS2_RC rc = marshal(&value, bytes.data(), bytes.size(), &offset);
  bytes.resize(rc == TSS2_RC_SUCCESS ? offset : 0);
  return bytes;
}

template <typename T, typename Unmarshal, typename Marshal>
T parse(const Bytes& bytes, Unmarshal unmarshal, Marshal marshal, const char* what) {
  T result{};
  size_t offset = 0;
  const TSS2_RC rc = unmarshal(bytes.data(), bytes.size(), &offset, &result);
  // tpm2-mu does not compare a TPM2B's length with what it found inside: only writing it again shows that.
  if (rc != TSS2_RC_SUCCESS || offset != bytes.size() || write(result, marshal) != bytes)
    throw Failure("KEY_INVALID", std::string("the key's ") + what + " does not parse", rc);
  return result;
}

}  // namespace

Bytes toBytes(const TPM2B_PUBLIC& publicArea) { return write(publicArea, Tss2_MU_TPM2B_PUBLIC_Marshal); }

KeyBlob toBlob(TPM2_HANDLE parent, const TPM2B_PUBLIC& publicArea, const TPM2B_PRIVATE& privateArea) {
  KeyBlob blob{parent, write(publicArea, Tss2_MU_TPM2B_PUBLIC_Marshal),
               write(privateArea, Tss2_MU_TPM2B_PRIVATE_Marshal)};
  if (blob.publicArea.empty() || blob.privateArea.empty())
    throw Failure("TPM_FAILED", "the TPM made a key that has no encoding");
  return blob;
}

Key::Key(const KeyBlob& blob, Use use)
    : parent(blob.parent),
      publicArea(parse<TPM2B_PUBLIC>(blob.publicArea, Tss2_MU_TPM2B_PUBLIC_Unmarshal,
                                     Tss2_MU_TPM2B_PUBLIC_Marshal, "public area")),
      privateArea(parse<TPM2B_PRIVATE>(blob.privateArea, Tss2_MU_TPM2B_PRIVATE_Unmarshal,
                                       Tss2_MU_TPM2B_PRIVATE_Marshal, "private area")) {
  if (use == Use::attesting)
    requireAttestationKey(publicArea.publicArea);
  else
    requireSigningKey(publicArea.publicArea);
  point = pointOf(publicArea.publicArea);
}

}  // namespace tss::tpm

#include "tpm/key.hh"

#include <tss2/tss2_mu.h>

#include "tpm/template.hh"

namespace tss::tpm {
namespace {

template <typename T, typename Unmarshal>
T parse(const Bytes& bytes, Unmarshal unmarshal, const char* what) {
  T result{};
  size_t offset = 0;
  const TSS2_RC rc = unmarshal(bytes.data(), bytes.size(), &offset, &result);
  if (rc != TSS2_RC_SUCCESS || offset != bytes.size())
    throw Failure("KEY_INVALID", std::string("the key's ") + what + " does not parse", rc);
  return result;
}

template <typename T, typename Marshal>
Bytes write(const T& value, Marshal marshal) {
  Bytes bytes(sizeof(T));
  size_t offset = 0;
  check(marshal(&value, bytes.data(), bytes.size(), &offset), Step::create);
  bytes.resize(offset);
  return bytes;
}

}  // namespace

KeyBlob toBlob(TPM2_HANDLE parent, const TPM2B_PUBLIC& publicArea, const TPM2B_PRIVATE& privateArea) {
  return {parent, write(publicArea, Tss2_MU_TPM2B_PUBLIC_Marshal),
          write(privateArea, Tss2_MU_TPM2B_PRIVATE_Marshal)};
}

Key::Key(const KeyBlob& blob)
    : parent(blob.parent),
      publicArea(parse<TPM2B_PUBLIC>(blob.publicArea, Tss2_MU_TPM2B_PUBLIC_Unmarshal, "public area")),
      privateArea(parse<TPM2B_PRIVATE>(blob.privateArea, Tss2_MU_TPM2B_PRIVATE_Unmarshal, "private area")) {
  requireSigningKey(publicArea.publicArea);
  point = pointOf(publicArea.publicArea);
}

}  // namespace tss::tpm

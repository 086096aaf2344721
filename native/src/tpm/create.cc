#include <tss2/tss2_esys.h>

#include "tpm/operations.hh"
#include "tpm/parent.hh"

namespace tss::tpm {

KeyBlob createKey(const Esys& esys, const std::string& ownerAuth, const TPM2B_PUBLIC& wanted) {
  const TPM2_HANDLE handle = chooseParent(esys);
  const Parent parent(esys, handle, ownerAuth);
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  TPM2B_PRIVATE* privateArea = nullptr;
  TPM2B_PUBLIC* publicArea = nullptr;
  check(Esys_Create(esys, parent.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &wanted,
                    &outside, &registers, &privateArea, &publicArea, nullptr, nullptr, nullptr),
        Step::create);
  const Owned<TPM2B_PRIVATE> ownedPrivate(privateArea);
  const Owned<TPM2B_PUBLIC> ownedPublic(publicArea);
  return toBlob(handle, *publicArea, *privateArea);
}

}  // namespace tss::tpm

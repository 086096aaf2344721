#include <tss2/tss2_esys.h>

#include "tpm/operations.hh"
#include "tpm/parent.hh"

namespace tss::tpm {
namespace {

bool loadSaved(const Esys& esys, Key& key) {
  if (!key.saved) return false;
  const TSS2_RC rc = Esys_ContextLoad(esys, key.saved.get(), &key.object);
  if (rc == TSS2_RC_SUCCESS) return true;
  key.object = ESYS_TR_NONE;
  switch (faultOf(rc)) {
    case Fault::connection:
    case Fault::notStarted:
    case Fault::slotsFull:
    case Fault::retry:
      check(rc, Step::contextLoad);
      break;
    default:
      // A reset TPM no longer knows its saved contexts; the blob is what lasts.
      key.saved.reset();
  }
  return false;
}

}  // namespace

void loadKey(const Esys& esys, Key& key, const std::string& ownerAuth, bool save) {
  if (loadSaved(esys, key)) return;
  ESYS_TR object = ESYS_TR_NONE;
  {
    const Parent parent(esys, key.parent, ownerAuth);
    check(Esys_Load(esys, parent.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &key.privateArea,
                    &key.publicArea, &object),
          Step::load);
  }
  Transient loaded(esys, object);
  if (save) {
    TPMS_CONTEXT* context = nullptr;
    check(Esys_ContextSave(esys, object, &context), Step::load);
    key.saved.reset(context);
  }
  key.object = loaded.keep();
}

}  // namespace tss::tpm

#include <tss2/tss2_esys.h>

#include "tpm/operations.hh"
#include "tpm/parent.hh"

namespace tss::tpm {
namespace {

/** So that the object can be found again, and told from others, on a new connection. */
void identify(const Esys& esys, Key& key) {
  check(Esys_TR_GetTpmHandle(esys, key.object, &key.handle), Step::load);
  TPM2B_NAME* name = nullptr;
  check(Esys_TR_GetName(esys, key.object, &name), Step::load);
  const Owned<TPM2B_NAME> owned(name);
  key.name.assign(name->name, name->name + name->size);
}

bool loadSaved(const Esys& esys, Key& key) {
  if (!key.saved) return false;
  const TSS2_RC rc = Esys_ContextLoad(esys, key.saved.get(), &key.object);
  if (rc == TSS2_RC_SUCCESS) {
    identify(esys, key);
    return true;
  }
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
  identify(esys, key);
}

}  // namespace tss::tpm

#pragma once

#include <tss2/tss2_esys.h>

#include <optional>

#include "bytes.hh"
#include "tpm/esys.hh"

namespace tss::tpm {

/** A key as its file holds it: the handle of its parent and the two TPM2B structures, length prefix included.
 */
struct KeyBlob {
  TPM2_HANDLE parent = 0;
  Bytes publicArea;
  Bytes privateArea;
};

/** With its length prefix; empty where it has no encoding. */
Bytes toBytes(const TPM2B_PUBLIC& publicArea);

KeyBlob toBlob(TPM2_HANDLE parent, const TPM2B_PUBLIC& publicArea, const TPM2B_PRIVATE& privateArea);

/** A key that was asked for, loaded or not. Touched by its TPM's thread only, `point` and `blob` excepted. */
struct Key {
  enum class Use { signing, attesting };

  /** @throws Failure KEY_INVALID for blobs that do not parse to the last byte or are not of this use */
  explicit Key(const KeyBlob& blob, Use use = Use::signing);

  const TPM2_HANDLE parent;
  TPM2B_PUBLIC publicArea;
  TPM2B_PRIVATE privateArea;
  Point point;

  /** The loaded object, ESYS_TR_NONE while it is not in the TPM. */
  ESYS_TR object = ESYS_TR_NONE;
  /** A saved copy of the loaded object: cheaper to load again than blob and parent. Dies with a TPM reset. */
  Owned<TPMS_CONTEXT> saved;
  /** The TPM refused the key's authorisation: it counts every attempt, so there is none after the first. */
  std::optional<Failure> refusal;
  /** Handshakes that will sign soon. */
  unsigned holds = 0;
};

}  // namespace tss::tpm

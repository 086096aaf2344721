#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "bytes.hh"
#include "tpm/endorsement.hh"

namespace tss::tpm {

/** The handle at which the TCG provisioning guidance puts the storage root key. */
constexpr TPM2_HANDLE kStorageRootKey = 0x81000001;

/** The ECC storage primary of the owner hierarchy, field for field that of tpm2-openssl, so that the two
 * share keys. */
TPM2B_PUBLIC storagePrimaryTemplate();

/** Our key: P-256, signs only, unrestricted, fixed to this TPM and parent, outside dictionary-attack lockout.
 */
TPM2B_PUBLIC signingKeyTemplate();

/** A key that signs what the TPM itself says, and nothing else: P-256, restricted, ECDSA with SHA-256. */
TPM2B_PUBLIC attestationKeyTemplate();

/** TCG EK Credential Profile 2.5, appendix B: L-1, L-2, H-3. */
TPM2B_PUBLIC endorsementTemplate(EndorsementKind kind);

/** True for a restricted P-256 decryption key: what a parent of ours must be. */
bool isStorageKey(const TPMT_PUBLIC& area);

/** @throws Failure KEY_INVALID, naming what is not supported about the key */
void requireSigningKey(const TPMT_PUBLIC& area);

/** @throws Failure KEY_INVALID unless it is as `attestationKeyTemplate` asks */
void requireAttestationKey(const TPMT_PUBLIC& area);

/** @throws Failure KEY_INVALID where a coordinate is longer than 32 bytes */
Point pointOf(const TPMT_PUBLIC& area);

}  // namespace tss::tpm

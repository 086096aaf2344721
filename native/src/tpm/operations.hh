#pragma once

#include <vector>

#include "bytes.hh"
#include "tpm/device.hh"
#include "tpm/endorsement.hh"

/** One file per operation. Each runs on the TPM's thread and throws Failure. */
namespace tss::tpm {

Info readInfo(const Esys& esys);

/** A fixed or variable property (TPM2_PT_…), 0 where the TPM has none such. */
UINT32 readProperty(const Esys& esys, TPM2_PT which);

/** Handles that the TPM has between these two, both included. */
std::vector<TPM2_HANDLE> handlesFrom(const Esys& esys, TPM2_HANDLE first, TPM2_HANDLE last);

/** @param wanted one of the templates of keys under a storage key */
KeyBlob createKey(const Esys& esys, const std::string& ownerAuth, const TPM2B_PUBLIC& wanted);

/**
 * Load a key under its parent, from its saved copy where there is one.
 * @param save keep a copy for the next time; raw TPMs flush the key behind every use
 */
void loadKey(const Esys& esys, Key& key, const std::string& ownerAuth, bool save);

/** @returns Ecdsa-Sig-Value, DER (RFC 3279 §2.2.3) */
Bytes signDigest(const Esys& esys, ESYS_TR key, const Digest& digest);

/** What NV holds in the range of endorsement certificates. */
std::vector<StoredCertificate> readStoredCertificates(const Esys& esys);

/**
 * Open a credential that was made for this TPM and this attestation key (TPM 2.0 part 1, §24).
 * @returns the secret, which crosses the bus encrypted
 */
Bytes activateCredential(const Esys& esys, EndorsementKind kind, ESYS_TR attestationKey,
                         const Credential& credential, OpenSessions& sessions);

/** Have the attestation key say that the other key is in this TPM. @param qualifyingData at most 64 bytes */
Certification certifyKey(const Esys& esys, ESYS_TR key, ESYS_TR attestationKey, const Bytes& qualifyingData);

}  // namespace tss::tpm

#pragma once

#include "bytes.hh"
#include "tpm/device.hh"

/** One file per operation. Each runs on the TPM's thread and throws Failure. */
namespace tss::tpm {

Info readInfo(const Esys& esys);

/** A fixed or variable property (TPM2_PT_…), 0 where the TPM has none such. */
UINT32 readProperty(const Esys& esys, TPM2_PT which);

KeyBlob createKey(const Esys& esys, const std::string& ownerAuth);

/**
 * Load a key under its parent, from its saved copy where there is one.
 * @param save keep a copy for the next time; raw TPMs flush the key behind every use
 */
void loadKey(const Esys& esys, Key& key, const std::string& ownerAuth, bool save);

/** @returns Ecdsa-Sig-Value, DER (RFC 3279 §2.2.3) */
Bytes signDigest(const Esys& esys, ESYS_TR key, const Digest& digest);

}  // namespace tss::tpm

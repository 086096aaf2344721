#pragma once

#include <napi.h>

#include <memory>

#include "tpm/device.hh"
#include "worker.hh"

/** The calls of attestation: what JavaScript gives is checked here, then done on the TPM's thread. */
namespace tss::tpm {

/** `endorsement(kind: string): Promise<{handle, publicArea}>` */
Napi::Value endorsement(const Napi::CallbackInfo& call, Worker& worker,
                        const std::shared_ptr<Device>& device);

/** `storedCertificates(): Promise<{index, bytes}[]>` */
Napi::Value storedCertificates(const Napi::CallbackInfo& call, Worker& worker,
                               const std::shared_ptr<Device>& device);

/** `activateCredential(kind, key: KeyBlob, credentialBlob, encryptedSecret): Promise<Buffer>` */
Napi::Value activateCredential(const Napi::CallbackInfo& call, Worker& worker,
                               const std::shared_ptr<Device>& device);

/** `certify(key: TpmKey, attestationKey: KeyBlob, qualifyingData): Promise<{attest, signature}>` */
Napi::Value certify(const Napi::CallbackInfo& call, Worker& worker, const std::shared_ptr<Device>& device,
                    const std::shared_ptr<Key>& key);

/** A `KeyBlob` of JavaScript's. @throws Failure ARGUMENT_INVALID */
KeyBlob blobOf(const Napi::Value& value);

}  // namespace tss::tpm

import { type AddonTpm, addon } from './addon.ts';
import type {
  AttestationKey,
  Certification,
  Credential,
  EndorsementKey,
  EndorsementKind,
  SigningKey,
  Tpm,
  TpmInfo,
  TpmOptions,
} from './api.ts';
import { findEndorsementKey } from './endorsement.ts';
import { settled } from './error.ts';
import { addonKeyOf, tpmKey } from './key.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';

class OpenTpm implements Tpm {
  readonly #tpm: AddonTpm;
  readonly #keys = new Set<SigningKey>();
  #closing: Promise<void> | undefined;

  constructor(tpm: AddonTpm) {
    this.#tpm = tpm;
  }

  info(): Promise<TpmInfo> {
    return settled(() => this.#tpm.info());
  }

  async createKey(): Promise<string> {
    return writeKeyFile(await settled(() => this.#tpm.createKey()));
  }

  async loadKey(pem: string): Promise<SigningKey> {
    const blob = readKeyFile(pem);
    const loaded = await settled(async () => this.#tpm.loadKey(blob));
    const key = tpmKey(loaded, async () => {
      this.#keys.delete(key);
      if (this.#closing === undefined) await loaded.close();
    });
    this.#keys.add(key);
    return key;
  }

  endorsementKey(kind?: EndorsementKind): Promise<EndorsementKey> {
    return settled(() => findEndorsementKey(this.#tpm, kind));
  }

  async createAttestationKey(): Promise<AttestationKey> {
    const blob = await settled(() => this.#tpm.createAttestationKey());
    return { pem: writeKeyFile(blob), publicArea: blob.publicArea };
  }

  async activateCredential(kind: EndorsementKind, attestationPem: string, challenge: Credential): Promise<Buffer> {
    const { credentialBlob, encryptedSecret } = challenge;
    const blob = readKeyFile(attestationPem);
    return settled(async () => this.#tpm.activateCredential(kind, blob, credentialBlob, encryptedSecret));
  }

  async certify(key: SigningKey, attestationPem: string, qualifyingData: Uint8Array): Promise<Certification> {
    const blob = readKeyFile(attestationPem);
    return settled(async () => this.#tpm.certify(addonKeyOf(key), blob, qualifyingData));
  }

  close(): Promise<void> {
    this.#closing ??= settled(() => this.#tpm.close());
    for (const key of this.#keys) void key.close();
    return this.#closing;
  }
}

/**
 * Connect to a TPM 2.0. One thread of its own talks to it; commands queue there.
 * @throws TssError TPM_ABSENT, TPM_ACCESS_DENIED, TPM_CONNECTION, ARGUMENT_INVALID for other transports
 */
export async function openTpm(options: TpmOptions): Promise<Tpm> {
  const { tcti, ownerAuth = '', keepLoaded = false } = options;
  return new OpenTpm(await settled(async () => addon.openTpm(tcti, ownerAuth, keepLoaded)));
}

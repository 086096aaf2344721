import { createHash, generateKeyPairSync } from 'node:crypto';
import { openTpm, type SigningKey, softwareKey, type Tpm } from 'node-tss';
import { PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { readPrivateFile, writePrivateFile } from '../private-file.ts';
import { type Attestor, createAttestor } from './attestation.ts';
import { fromTss } from './fault.ts';

/** The device's identity key. The private half is in the TPM and cannot leave it. */
export interface DeviceKey {
  readonly protection: 'tpm' | 'software';
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** SHA-256 of `publicKey`, lower-case hex: what the operator compares. */
  readonly fingerprint: string;
  /** For the TLS transport, which signs the handshake with it. */
  readonly signingKey: SigningKey;
  /** Proves where the key is; `null` for a key that no TPM holds. */
  readonly attestor: Attestor | null;
  /** It was made just now. */
  readonly created: boolean;
  /**
   * Another key in the same TPM, in a file of its own; closing it leaves this one open.
   * @throws PlayerError KEY_INVALID for a key in software
   */
  successor(keyFile: string): Promise<DeviceKey>;
  /** ECDSA over SHA-256. @param digest 32 bytes @returns Ecdsa-Sig-Value, DER. @throws PlayerError */
  sign(digest: Uint8Array): Promise<Buffer>;
  /** What the TPM says of itself; `null` for a key that no TPM holds. @throws PlayerError */
  chip(): Promise<{ readonly maker: string; readonly firmware: string; readonly lockout: boolean } | null>;
  close(): Promise<void>;
}

export interface DeviceKeyOptions {
  readonly tcti: string;
  readonly ownerAuth: string | undefined;
  /** Hold the key in a file instead of a TPM; only ever true when the settings ask for it by name. */
  readonly allowSoftwareKey: boolean;
  /** TSS2 PRIVATE KEY PEM: the wrapped blob. */
  readonly keyFile: string;
  /** The attestation key, wrapped like the device key. */
  readonly attestationKeyFile: string;
  /** PKCS#8 PEM, used with `allowSoftwareKey` alone. */
  readonly softwareKeyFile: string;
  readonly log: Log;
}

/**
 * Open the device key, creating it on the first start.
 * @throws PlayerError TPM_…, KEY_LOST when another TPM made the key, KEY_INVALID when the file is damaged
 */
export async function openDeviceKey(options: DeviceKeyOptions): Promise<DeviceKey> {
  const tpmPem = await readPrivateFile(options.keyFile);
  if (options.allowSoftwareKey) {
    if (tpmPem !== undefined)
      throw new PlayerError(
        'KEY_INVALID',
        `${options.keyFile} is a TPM key and identity.allowSoftwareKey would abandon it: unset the setting, or remove the file`,
      );
    return openSoftwareKey(options);
  }
  let tpm: Tpm | undefined;
  try {
    tpm = await openTpm({
      tcti: options.tcti,
      ...(options.ownerAuth === undefined ? {} : { ownerAuth: options.ownerAuth }),
    });
    const pem = tpmPem?.toString('utf8') ?? (await createKey(tpm, options));
    return await inTpm(tpm, pem, options, tpmPem === undefined);
  } catch (thrown) {
    await tpm?.close().catch(() => undefined);
    throw fromTss(thrown);
  }
}

async function inTpm(tpm: Tpm, pem: string, options: DeviceKeyOptions, created: boolean): Promise<DeviceKey> {
  const key = await tpm.loadKey(pem);
  const attestor = createAttestor(tpm, key, pem, options.attestationKeyFile);
  const successor = async (keyFile: string) => {
    try {
      const next = await inTpm(tpm, await createKey(tpm, { ...options, keyFile }), options, true);
      return { ...next, close: () => next.signingKey.close() };
    } catch (thrown) {
      throw fromTss(thrown);
    }
  };
  return { ...deviceKey(key, tpm), attestor, created, successor };
}

async function createKey(tpm: Tpm, { keyFile, log }: DeviceKeyOptions): Promise<string> {
  const pem = await tpm.createKey();
  await writePrivateFile(keyFile, pem);
  log.info('device-key-created', { file: keyFile, keyProtection: 'tpm' });
  return pem;
}

async function openSoftwareKey({ softwareKeyFile, log }: DeviceKeyOptions): Promise<DeviceKey> {
  let pem = (await readPrivateFile(softwareKeyFile))?.toString('utf8');
  const created = pem === undefined;
  if (pem === undefined) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writePrivateFile(softwareKeyFile, pem);
  }
  log.warn('software-key-in-use', {
    keyProtection: 'software',
    message: 'identity.allowSoftwareKey is set: this identity can be copied',
  });
  try {
    const successor = async () => {
      throw new PlayerError('KEY_INVALID', 'a key in software is not changed: identity.allowSoftwareKey is set');
    };
    return { ...deviceKey(softwareKey(pem), undefined), attestor: null, created, successor };
  } catch (thrown) {
    throw fromTss(thrown);
  }
}

function deviceKey(key: SigningKey, tpm: Tpm | undefined): Omit<DeviceKey, 'attestor' | 'created' | 'successor'> {
  return {
    protection: key.protection,
    publicKey: key.publicKey,
    fingerprint: createHash('sha256').update(key.publicKey).digest('hex'),
    signingKey: key,
    sign: (digest) =>
      key.sign(digest).catch((thrown: unknown) => {
        throw fromTss(thrown);
      }),
    chip: async () => {
      if (tpm === undefined) return null;
      const info = await tpm.info().catch((thrown: unknown) => {
        throw fromTss(thrown);
      });
      return { maker: info.manufacturer, firmware: info.firmware, lockout: info.lockout.active };
    },
    close: async () => {
      await key.close();
      await tpm?.close();
    },
  };
}

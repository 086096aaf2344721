import { type AddonKey, type AddonTpmKey, addon } from './addon.ts';
import type { SigningKey } from './api.ts';
import { settled, TssError, translated } from './error.ts';

// SubjectPublicKeyInfo of a P-256 key up to its point: SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 },
// BIT STRING (RFC 5480 §2).
const SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** The addon's key behind each SigningKey: the only way to it, so that no key of another make gets in. */
const inner = new WeakMap<SigningKey, AddonKey>();

/** @throws TssError KEY_CLOSED, ARGUMENT_INVALID for keys that neither loadKey nor softwareKey made */
export function addonKeyOf(key: SigningKey): AddonKey {
  const found = inner.get(key);
  if (found !== undefined) return found;
  if (key instanceof Key) throw closed();
  throw new TssError('ARGUMENT_INVALID', 'the key must come from loadKey or softwareKey');
}

function closed(): TssError {
  return new TssError('KEY_CLOSED', 'this key was closed');
}

interface Operations {
  sign(digest: Uint8Array): Promise<Buffer>;
  close(): Promise<void>;
}

class Key implements SigningKey {
  readonly protection: 'tpm' | 'software';
  readonly publicKey: Buffer;
  readonly #operations: Operations;

  constructor(protection: 'tpm' | 'software', key: AddonKey, operations: Operations) {
    this.protection = protection;
    this.publicKey = Buffer.concat([SPKI_PREFIX, key.point]);
    this.#operations = operations;
    inner.set(this, key);
  }

  async sign(digest: Uint8Array): Promise<Buffer> {
    if (!inner.has(this)) throw closed();
    return settled(() => this.#operations.sign(digest));
  }

  async close(): Promise<void> {
    if (inner.delete(this)) await settled(() => this.#operations.close());
  }
}

/** A key that the TPM holds. */
export function tpmKey(key: AddonTpmKey, closeKey: () => Promise<void>): SigningKey {
  return new Key('tpm', key, { sign: (digest) => key.sign(digest), close: closeKey });
}

/**
 * A key in this process's memory, for boards without a TPM that were told so by name.
 * @param pem unencrypted PKCS#8 PEM of a P-256 key
 * @throws TssError KEY_INVALID
 */
export function softwareKey(pem: string): SigningKey {
  const key = translated(() => new addon.SoftwareKey(pem));
  return new Key('software', key, {
    sign: async (digest) => key.sign(digest),
    close: async () => {},
  });
}

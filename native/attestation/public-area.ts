import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { AttestationError } from './error.ts';
import { Reader } from './reader.ts';

/** TPM_ALG_ID (TCG Algorithm Registry). */
export const algorithms = {
  rsa: 0x0001,
  sha256: 0x000b,
  sha384: 0x000c,
  null: 0x0010,
  ecdsa: 0x0018,
  ecc: 0x0023,
  aes: 0x0006,
  cfb: 0x0043,
} as const;

/** TPMA_OBJECT (part 2, §8.3). */
export const attributes = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

const hashNames: Readonly<Record<number, string>> = { [algorithms.sha256]: 'sha256', [algorithms.sha384]: 'sha384' };
const curves: Readonly<Record<number, { readonly name: string; readonly bytes: number }>> = {
  3: { name: 'P-256', bytes: 32 },
  4: { name: 'P-384', bytes: 48 },
};

/** The public half of a key in a TPM (TPMT_PUBLIC), as far as keys of the kinds here go: RSA, ECC on P-256 and P-384. */
export interface PublicArea {
  /** TPMT_PUBLIC, byte for byte. */
  readonly bytes: Buffer;
  readonly attributes: number;
  /** Of names and of what is derived from them: `sha256` or `sha384`. */
  readonly hash: string;
  /** Bits of the symmetric cipher of a storage or endorsement key, AES in CFB mode; 0 where there is none. */
  readonly symmetricBits: number;
  /** TPM_ALG_ID of the signature scheme and of its hash; `null` where the key has none. */
  readonly scheme: { readonly algorithm: number; readonly hash: number } | null;
  readonly publicKey: KeyObject;
  /** nameAlg and the digest of the public area: what a TPM calls the key (part 1, §16). */
  readonly name: Buffer;
}

/** @param area TPM2B_PUBLIC, to its last byte. @throws AttestationError STRUCTURE_INVALID */
export function readPublicArea(area: Uint8Array, what = 'a public area'): PublicArea {
  const outer = new Reader(area, what);
  const bytes = outer.sized();
  outer.end();
  const reader = new Reader(bytes, what);
  const type = reader.u16();
  const nameAlg = reader.u16();
  const objectAttributes = reader.u32();
  reader.sized(); // authPolicy: part of the name, and nothing that is judged here
  const hash = hashNames[nameAlg];
  if (hash === undefined) throw reader.malformed('another hash than SHA-256 and SHA-384');
  const symmetricBits = readSymmetric(reader);
  const scheme = readScheme(reader);
  let jwk: JsonWebKey;
  if (type === algorithms.rsa) jwk = readRsa(reader);
  else if (type === algorithms.ecc) jwk = readEcc(reader);
  else throw reader.malformed('neither RSA nor ECC');
  reader.end();
  const digest = createHash(hash).update(bytes).digest();
  return {
    bytes,
    attributes: objectAttributes,
    hash,
    symmetricBits,
    scheme,
    publicKey: importKey(jwk, what),
    name: Buffer.concat([Buffer.from([nameAlg >> 8, nameAlg & 0xff]), digest]),
  };
}

/** The key of a TPM2B_PUBLIC, for comparing with others. @throws AttestationError STRUCTURE_INVALID */
export function publicKeyOfArea(area: Uint8Array): { key: Buffer; format: 'der'; type: 'spki' } {
  return { key: readPublicArea(area).publicKey.export({ format: 'der', type: 'spki' }), format: 'der', type: 'spki' };
}

function readSymmetric(reader: Reader): number {
  const algorithm = reader.u16();
  if (algorithm === algorithms.null) return 0;
  if (algorithm !== algorithms.aes) throw reader.malformed('another cipher than AES');
  const bits = reader.u16();
  if ((bits !== 128 && bits !== 256) || reader.u16() !== algorithms.cfb) throw reader.malformed('another cipher mode');
  return bits;
}

function readScheme(reader: Reader): PublicArea['scheme'] {
  const algorithm = reader.u16();
  if (algorithm === algorithms.null) return null;
  return { algorithm, hash: reader.u16() };
}

function readRsa(reader: Reader): JsonWebKey {
  const bits = reader.u16();
  const exponent = reader.u32() || 65_537;
  const modulus = reader.sized();
  if (modulus.length * 8 !== bits || bits < 2048) throw reader.malformed('a modulus of another length');
  const e = Buffer.alloc(4);
  e.writeUInt32BE(exponent);
  return {
    kty: 'RSA',
    n: modulus.toString('base64url'),
    e: e.subarray(e.findIndex((byte) => byte !== 0)).toString('base64url'),
  };
}

function readEcc(reader: Reader): JsonWebKey {
  const curve = curves[reader.u16()];
  if (curve === undefined) throw reader.malformed('another curve than P-256 and P-384');
  if (readScheme(reader) !== null) throw reader.malformed('a key derivation scheme');
  const [x, y] = [reader.sized(), reader.sized()];
  if (x.length > curve.bytes || y.length > curve.bytes) throw reader.malformed('a coordinate that is too long');
  return {
    kty: 'EC',
    crv: curve.name,
    x: padded(x, curve.bytes).toString('base64url'),
    y: padded(y, curve.bytes).toString('base64url'),
  };
}

/** TPMs may leave leading zeroes out. */
export function padded(value: Uint8Array, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(length - value.length), value]);
}

function importKey(jwk: JsonWebKey, what: string): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new AttestationError('STRUCTURE_INVALID', `${what}: not a point or modulus`, cause);
  }
}

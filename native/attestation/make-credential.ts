import {
  constants,
  createCipheriv,
  createHmac,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { kdfA, kdfE } from './derivation.ts';
import { AttestationError } from './error.ts';
import { type PublicArea, padded } from './public-area.ts';
import { sized } from './reader.ts';

const LABEL = 'IDENTITY';

/** A credential as `activateCredential` takes it, length prefixes included. */
export interface MadeCredential {
  readonly credentialBlob: Buffer;
  readonly encryptedSecret: Buffer;
}

/**
 * TPM2_MakeCredential in software (TPM 2.0 part 1, §24; part 3, §12.6): only the TPM that has the endorsement key can
 * open it, and does so only if it also has the key of that name.
 * @param secret at most a digest of the endorsement key's name algorithm
 * @param name of the attestation key
 */
export function makeCredential(endorsement: PublicArea, name: Buffer, secret: Buffer): MadeCredential {
  const { hash, symmetricBits } = endorsement;
  if (symmetricBits === 0) throw new AttestationError('ENDORSEMENT_ATTRIBUTES', 'the endorsement key has no cipher');
  const { seed, encryptedSeed } = shareSeed(endorsement);
  const none = Buffer.alloc(0);
  const cipherKey = kdfA(hash, seed, 'STORAGE', name, none, symmetricBits);
  const cipher = createCipheriv(`aes-${symmetricBits}-cfb`, cipherKey, Buffer.alloc(16));
  const encrypted = Buffer.concat([cipher.update(sized(secret)), cipher.final()]);
  const integrityKey = kdfA(hash, seed, 'INTEGRITY', none, none, seed.length * 8);
  const integrity = createHmac(hash, integrityKey).update(encrypted).update(name).digest();
  return { credentialBlob: sized(Buffer.concat([sized(integrity), encrypted])), encryptedSecret: sized(encryptedSeed) };
}

/** A seed as long as the digest of the key's name algorithm, and how its owner gets at it (part 1, annexes B.10 and C.6). */
function shareSeed({ hash, publicKey }: PublicArea): { readonly seed: Buffer; readonly encryptedSeed: Buffer } {
  const bytes = hash === 'sha384' ? 48 : 32;
  if (publicKey.asymmetricKeyType === 'rsa') {
    const seed = randomBytes(bytes);
    const label = Buffer.from(`${LABEL}\0`);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return { seed, encryptedSeed: publicEncrypt({ key: publicKey, padding, oaepHash: hash, oaepLabel: label }, seed) };
  }
  const namedCurve = publicKey.asymmetricKeyDetails?.namedCurve as string;
  const length = namedCurve === 'secp384r1' ? 48 : 32;
  const passing = generateKeyPairSync('ec', { namedCurve });
  const z = diffieHellman({ privateKey: passing.privateKey, publicKey });
  const own = pointOf(passing.publicKey.export({ format: 'jwk' }), length);
  const theirs = pointOf(publicKey.export({ format: 'jwk' }), length);
  const seed = kdfE(hash, z, LABEL, own.x, theirs.x, bytes * 8);
  return { seed, encryptedSeed: Buffer.concat([sized(own.x), sized(own.y)]) };
}

function pointOf({ x, y }: JsonWebKey, length: number): { readonly x: Buffer; readonly y: Buffer } {
  const coordinate = (text: string | undefined) => padded(Buffer.from(text ?? '', 'base64url'), length);
  return { x: coordinate(x), y: coordinate(y) };
}

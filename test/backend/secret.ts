/** Random secrets and comparing them without telling how much matched. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits, base64url. */
export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** 128 random bits, hex: an id that cannot be guessed. */
export function createId(): string {
  return randomBytes(16).toString('hex');
}

/** SHA-256 of a secret, hex. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compare a presented secret with the digest of the true one, in constant time. */
export function matchesDigest(presented: string, digest: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(presented), 'hex'), Buffer.from(digest, 'hex'));
}

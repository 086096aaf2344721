import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** What is signed of a new version: which package it is, for which processor, and which bytes. */
export interface Release {
  /** `signet-player` or `signet-player-test`: neither takes the other's. */
  readonly packageName: string;
  readonly version: string;
  /** `process.arch` of the machines that it is for. */
  readonly arch: string;
  readonly sizeBytes: number;
  /** Base64. */
  readonly sha512: string;
}

/** The text that the publisher signs; build/update/statement.mjs writes the same. */
export function statement({ packageName, version, arch, sizeBytes, sha512 }: Release): string {
  return `signet-player update 1\n${packageName}\n${version}\n${arch}\n${sizeBytes}\n${sha512}\n`;
}

/** @returns `null` unless the text is the PEM of an Ed25519 public key (RFC 8410) */
export function readUpdateKey(pem: string): KeyObject | null {
  try {
    // A private key would be taken too, and has no business on a screen.
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) return null;
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}

/** @param signature what the file `.sig` holds: base64 of the 64 bytes, and at most one line feed */
export function isSigned(release: Release, signature: string, key: KeyObject): boolean {
  if (!/^[A-Za-z0-9+/]{86}==\n?$/.test(signature)) return false;
  return verify(null, Buffer.from(statement(release)), key, Buffer.from(signature, 'base64'));
}

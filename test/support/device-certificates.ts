import type { KeyObject } from 'node:crypto';
import { type Authority, createKey, type Purpose } from './certificates.ts';

export const dayMs = 86_400_000;

/** A software key that stands in for the device key, with its SubjectPublicKeyInfo. */
export function createDevice(): { readonly publicKey: KeyObject; readonly spki: Buffer } {
  const { publicKey } = createKey();
  return { publicKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

/** A device certificate, PEM, valid from a day before to 30 days after `nowMs` unless told otherwise. */
export function deviceCertificatePem(
  authority: Authority,
  publicKey: KeyObject,
  nowMs: number,
  { fromMs = nowMs - dayMs, toMs = nowMs + 30 * dayMs, purposes = ['clientAuth'] as readonly Purpose[] } = {},
): string {
  const validity = { notBefore: new Date(fromMs), notAfter: new Date(toMs) };
  return authority.issue({ commonName: 'screen', publicKey, ...validity, purposes }).pem;
}

import { X509Certificate } from 'node:crypto';
import { splitPem } from './check.ts';

/** More than a roll-over ever needs. */
const mostRoots = 8;

/**
 * Judge roots that the server has announced over mutual TLS: certificates of authorities, signed by themselves, valid
 * now. A list with one that is none counts for nothing.
 * @returns one PEM text each, without doubles and without those that are pinned anyway; `null` where it is refused
 */
export function judgeRoots(announced: readonly string[], pinned: string, nowMs: number): readonly string[] | null {
  if (announced.length > mostRoots) return null;
  try {
    const known = new Set(splitPem(pinned).map((pem) => new X509Certificate(pem).fingerprint256));
    const taken: string[] = [];
    for (const text of announced) {
      const [pem, ...more] = splitPem(text);
      if (pem === undefined || more.length > 0) return null;
      const root = new X509Certificate(pem);
      const valid = Date.parse(root.validFrom) <= nowMs && nowMs <= Date.parse(root.validTo);
      if (!root.ca || !valid || root.issuer !== root.subject || !root.verify(root.publicKey)) return null;
      if (known.has(root.fingerprint256)) continue;
      known.add(root.fingerprint256);
      taken.push(`${pem}\n`);
    }
    return taken;
  } catch {
    return null;
  }
}

/** SHA-256 of a certificate, lower-case hex. */
export function certificateFingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

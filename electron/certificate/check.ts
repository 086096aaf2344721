import { X509Certificate } from 'node:crypto';

/** A verdict is a value: `ok`, or why the certificate is refused. */
export type Verdict =
  | { readonly ok: true; readonly notBeforeMs: number; readonly notAfterMs: number }
  | {
      readonly ok: false;
      /** `unusable`: TLS would not show it, for a short key or an old signature in its chain, say. */
      readonly reason: 'invalid' | 'key-mismatch' | 'untrusted' | 'usage' | 'dates' | 'unusable';
      /** With `dates`: when the first certificate of the path ends. */
      readonly notAfterMs?: number;
    };

const clientAuth = '1.3.6.1.5.5.7.3.2';
const longestChain = 8;

/**
 * Judge a device certificate (RFC 5280, the parts that matter to a client
 * certificate): made for our key, chained to a CA of ours, for client
 * authentication, valid now.
 * @param chain leaf first, then intermediates, PEM
 * @param publicKey our SubjectPublicKeyInfo, DER
 * @param anchors PEM bundle of trusted CAs
 * @param nowMs Unix milliseconds
 */
export function checkCertificate(chain: readonly string[], publicKey: Buffer, anchors: string, nowMs: number): Verdict {
  try {
    return judge(chain, publicKey, anchors, nowMs);
  } catch {
    // Not a certificate, or one with a public key that cannot be read: found out only where the key is used.
    return { ok: false, reason: 'invalid' };
  }
}

function judge(chain: readonly string[], publicKey: Buffer, anchors: string, nowMs: number): Verdict {
  const [leaf, ...issuers] = chain.slice(0, longestChain).map((pem) => new X509Certificate(pem));
  const roots = splitPem(anchors).map((pem) => new X509Certificate(pem));
  if (leaf === undefined) return { ok: false, reason: 'invalid' };
  if (!leaf.publicKey.export({ type: 'spki', format: 'der' }).equals(publicKey))
    return { ok: false, reason: 'key-mismatch' };
  const path = pathToRoot(leaf, issuers, roots);
  if (path === null) return { ok: false, reason: 'untrusted' };
  if (leaf.ca || !(leaf.keyUsage ?? []).includes(clientAuth)) return { ok: false, reason: 'usage' };
  const notBeforeMs = Math.max(...path.map((certificate) => Date.parse(certificate.validFrom)));
  const notAfterMs = Math.min(...path.map((certificate) => Date.parse(certificate.validTo)));
  if (!(notBeforeMs <= nowMs && nowMs <= notAfterMs)) return { ok: false, reason: 'dates', notAfterMs };
  return { ok: true, notBeforeMs: Date.parse(leaf.validFrom), notAfterMs: Date.parse(leaf.validTo) };
}

/** The certificates of a PEM bundle, one text each. */
export function splitPem(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

function pathToRoot(
  leaf: X509Certificate,
  issuers: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): X509Certificate[] | null {
  const path = [leaf];
  for (let at = leaf; path.length <= longestChain; ) {
    const root = roots.find((candidate) => signedBy(at, candidate));
    if (root !== undefined) return [...path, root];
    const next = issuers.find((candidate) => !path.includes(candidate) && signedBy(at, candidate));
    if (next === undefined) return null;
    path.push(next);
    at = next;
  }
  return null;
}

function signedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey);
}

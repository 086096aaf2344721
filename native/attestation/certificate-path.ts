/** Paths from an endorsement certificate to a pinned authority, and what each certificate on one must be (RFC 5280 §6.1). */
import type { X509Certificate } from 'node:crypto';
import { type CertificateFields, extensionIds, readCertificateFields, usages } from './certificate-fields.ts';
import { AttestationError } from './error.ts';

/** tcg-kp-EKCertificate. */
export const EK_PURPOSE = '2.23.133.8.1';
const ANY_PURPOSE = '2.5.29.37.0';

/** More than any maker has between a chip and its root. */
const LONGEST_CHAIN = 5;

/** md5, md2 and sha1WithRSAEncryption, ecdsa-with-SHA1: collisions of these can be made. */
const weakSignatures = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
]);
const leastRsaBits = 2048;

/**
 * What may be critical of an authority: each of these is judged here, or says nothing that the judgement hangs on (no
 * policy is asked for, so that any policy will do). Name and policy constraints are not among them.
 */
const judgedOfAuthorities = new Set<string>([
  extensionIds.basicConstraints,
  extensionIds.keyUsage,
  extensionIds.extendedKeyUsage,
  extensionIds.certificatePolicies,
  extensionIds.authorityKeyIdentifier,
  extensionIds.subjectKeyIdentifier,
]);

/** From the certificate of a chip, first, to a pinned authority, last. */
export type Path = readonly X509Certificate[];

/** Every path by names and signatures; nothing else of them is judged yet. */
export function* pathsOf(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
): Generator<Path> {
  yield* follow([certificate], authorities, intermediates);
}

function* follow(
  path: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
): Generator<Path> {
  const last = path.at(-1) as X509Certificate;
  const signs = (issuer: X509Certificate) => issuer.ca && last.checkIssued(issuer) && last.verify(issuer.publicKey);
  for (const issuer of authorities) if (signs(issuer)) yield [...path, issuer];
  if (path.length > LONGEST_CHAIN) return;
  for (const issuer of intermediates) {
    if (!path.includes(issuer) && signs(issuer)) yield* follow([...path, issuer], authorities, intermediates);
  }
}

export function isValid(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
}

/** The first extension that is critical and not among these; `null` where there is none. */
export function unknownCritical({ extensions }: CertificateFields, judged: ReadonlySet<string>): string | null {
  for (const [id, { critical }] of extensions) if (critical && !judged.has(id)) return id;
  return null;
}

/** @throws AttestationError ENDORSEMENT_CHAIN, ENDORSEMENT_EXPIRED, STRUCTURE_INVALID */
export function checkPath(path: Path, nowMs: number): void {
  const fail = (why: string) => new AttestationError('ENDORSEMENT_CHAIN', why);
  const fields = path.map(({ raw }) => readCertificateFields(raw));
  // An anchor's own signature proves nothing, so nothing depends on it.
  if (fields.slice(0, -1).some(({ signatureAlgorithm }) => weakSignatures.has(signatureAlgorithm)))
    throw fail('a certificate on the path is signed with MD5 or SHA-1');
  let below = 0;
  for (const [at, one] of fields.entries()) {
    const certificate = path[at];
    if (at === 0 || certificate === undefined) continue;
    const unknown = unknownCritical(one, judgedOfAuthorities);
    if (unknown !== null) throw fail(`an authority has a critical extension that is not known here, ${unknown}`);
    if (one.pathLength !== null && below > one.pathLength) throw fail('more authorities than one of them allows');
    if (one.keyUsage !== null && (one.keyUsage & usages.keyCertSign) === 0)
      throw fail('an authority that may not sign certificates');
    if (one.purposes !== null && ![EK_PURPOSE, ANY_PURPOSE].some((purpose) => one.purposes?.includes(purpose)))
      throw fail('an authority for other certificates than those of endorsement keys');
    const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && bits < leastRsaBits) throw fail(`an authority with an RSA key of ${bits} bits`);
    if (!isValid(certificate, nowMs))
      throw new AttestationError('ENDORSEMENT_EXPIRED', 'an authority of the chip is not valid at this time');
    if (!one.isSelfIssued) below++;
  }
}

import { X509Certificate } from 'node:crypto';
import { type Element, elements, tags } from '../der.ts';
import { AttestationError } from './error.ts';

/** tcg-kp-EKCertificate. */
const EK_PURPOSE = '2.23.133.8.1';
const SUBJECT_ALT_NAME = '0603551d11';
const DIRECTORY_NAME = 0xa4;
const EXTENSIONS = 0xa3;
/** tcg-at-tpmManufacturer, -Model, -Version: 2.23.133.2.1 to .3. */
const TPM_ATTRIBUTE = Buffer.from('67810502', 'hex');

/** What a TPM's maker says of it (TCG EK Credential Profile 2.5, §3.1.2); empty where it says nothing. */
export interface Chip {
  /** Such as `IFX`, `INTC`, `STM`; the vendor id in letters where it was written as `id:` and hex digits. */
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
}

/** @throws AttestationError STRUCTURE_INVALID */
export function readEndorsementCertificate(der: Buffer): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    // Nothing behind it: what was checked is what was sent.
    if (certificate.raw.equals(der)) return certificate;
  } catch (cause) {
    throw new AttestationError('STRUCTURE_INVALID', 'ek_certificate: not X.509', cause);
  }
  throw new AttestationError('STRUCTURE_INVALID', 'ek_certificate: goes on behind its end');
}

/** More than any maker has between a chip and its root. */
const LONGEST_CHAIN = 5;

interface Pinned {
  /** PEM: makers' roots and intermediates; each of them is trusted by itself. */
  readonly authorities: readonly string[];
  readonly intermediates?: readonly string[];
}

/**
 * That one of the pinned authorities has issued this certificate for an endorsement key, directly or over intermediates
 * that are valid now, and that it is valid now.
 * @throws AttestationError ENDORSEMENT_UNTRUSTED, ENDORSEMENT_EXPIRED
 */
export function checkEndorsementChain(certificate: X509Certificate, pinned: Pinned, nowMs: number): void {
  const authorities = pinned.authorities.map((pem) => new X509Certificate(pem));
  const between = (pinned.intermediates ?? []).map((pem) => new X509Certificate(pem));
  if (
    !isIssued(
      certificate,
      authorities,
      between.filter((one) => isValid(one, nowMs)),
      LONGEST_CHAIN,
    )
  )
    throw new AttestationError('ENDORSEMENT_UNTRUSTED', 'no pinned maker has issued the endorsement certificate');
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  if (certificate.ca || (purposes !== undefined && !purposes.includes(EK_PURPOSE))) {
    throw new AttestationError('ENDORSEMENT_UNTRUSTED', 'the certificate is not one for an endorsement key');
  }
  if (!isValid(certificate, nowMs)) {
    throw new AttestationError('ENDORSEMENT_EXPIRED', 'the endorsement certificate is not valid at this time');
  }
}

function isValid(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
}

/** A path to an authority. @param left how many certificates it may still have */
function isIssued(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
  left: number,
): boolean {
  const signs = (issuer: X509Certificate) =>
    issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  if (authorities.some(signs)) return true;
  if (left === 0) return false;
  return intermediates.some((issuer) => signs(issuer) && isIssued(issuer, authorities, intermediates, left - 1));
}

/** Maker, model and version from the certificate's subjectAltName, fit for people: printable ASCII, at most 64 characters. */
export function chipOf(certificate: X509Certificate): Chip {
  const values: string[] = [];
  try {
    for (const { oid, value } of tpmAttributes(certificate.raw)) values[oid - 1] = printable(value);
  } catch {
    // It names its chip in a way that is not understood: the same as not at all.
  }
  const [manufacturer = '', model = '', version = ''] = values;
  return { manufacturer: letters(manufacturer), model, version };
}

function printable(value: Buffer): string {
  return value
    .toString('utf8')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 64);
}

/** `id:49465800` → `IFX`; ids that are no letters stay as they are. */
function letters(id: string): string {
  const hex = /^id:([0-9A-Fa-f]{8})$/.exec(id)?.[1];
  if (hex === undefined) return id;
  const text = Buffer.from(hex, 'hex').toString('latin1').replaceAll('\0', '').trim();
  return /^[\x21-\x7e]+$/.test(text) ? text : id;
}

function* tpmAttributes(der: Buffer): Generator<{ readonly oid: number; readonly value: Buffer }> {
  const tbs = child(elements(der, 1)[0], 0);
  const extensions = elements(tbs.contents, 10).find(({ tag }) => tag === EXTENSIONS);
  for (const extension of elements(
    elements(extensions?.contents ?? Buffer.alloc(0), 1)[0]?.contents ?? Buffer.alloc(0),
    64,
  )) {
    if (!extension.contents.toString('hex').startsWith(SUBJECT_ALT_NAME)) continue;
    const value = elements(extension.contents, 3).find(({ tag }) => tag === tags.octets);
    for (const name of elements(elements(value?.contents ?? Buffer.alloc(0), 1)[0]?.contents ?? Buffer.alloc(0), 32)) {
      if (name.tag !== DIRECTORY_NAME) continue;
      for (const set of elements(elements(name.contents, 1)[0]?.contents ?? Buffer.alloc(0), 16)) {
        for (const pair of elements(set.contents, 16)) {
          const [type, text] = elements(pair.contents, 2);
          const oid = type?.contents;
          if (oid?.length !== 5 || !oid.subarray(0, 4).equals(TPM_ATTRIBUTE) || text === undefined) continue;
          const number = oid[4] ?? 0;
          if (number >= 1 && number <= 3) yield { oid: number, value: text.contents };
        }
      }
    }
  }
}

function child(parent: Element | undefined, at: number): Element {
  const found = elements(parent?.contents ?? Buffer.alloc(0), 8)[at];
  if (found === undefined) throw new AttestationError('STRUCTURE_INVALID', 'ek_certificate: no contents');
  return found;
}

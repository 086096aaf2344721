import { X509Certificate } from 'node:crypto';
import { elements, tags } from '../der.ts';
import { type CertificateFields, extensionIds, readCertificateFields, usages } from './certificate-fields.ts';
import { checkPath, EK_PURPOSE, isValid, pathsOf, unknownCritical } from './certificate-path.ts';
import { AttestationError } from './error.ts';

const DIRECTORY_NAME = 0xa4;
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

/** What may be critical of an endorsement certificate: what is judged here, and what the judgement does not hang on. */
const judgedOfChips = new Set<string>([
  extensionIds.basicConstraints,
  extensionIds.keyUsage,
  extensionIds.extendedKeyUsage,
  extensionIds.subjectAltName,
  extensionIds.certificatePolicies,
  extensionIds.authorityKeyIdentifier,
  extensionIds.subjectKeyIdentifier,
]);

/**
 * `required`: an endorsement certificate must say that it is one (tcg-kp-EKCertificate). `if-present`: one that says
 * nothing of its purpose passes as well, for makers of before the profile asked for it.
 */
export type PurposePolicy = 'required' | 'if-present';

interface Pinned {
  /** PEM: makers' roots and intermediates; each of them is trusted by itself. */
  readonly authorities: readonly string[];
  readonly intermediates?: readonly string[];
  readonly endorsementPurpose?: PurposePolicy;
}

/**
 * That this is a certificate for an endorsement key (TCG EK Credential Profile for TPM 2.0, §3.2), valid now, and that one
 * of the pinned authorities has issued it, directly or over intermediates that may do so and are valid now.
 * @throws AttestationError ENDORSEMENT_UNTRUSTED, ENDORSEMENT_PURPOSE, ENDORSEMENT_EXPIRED, ENDORSEMENT_CHAIN,
 * STRUCTURE_INVALID
 */
export function checkEndorsementChain(certificate: X509Certificate, pinned: Pinned, nowMs: number): void {
  const authorities = pinned.authorities.map((pem) => new X509Certificate(pem));
  const between = (pinned.intermediates ?? []).map((pem) => new X509Certificate(pem));
  let fault: unknown = new AttestationError(
    'ENDORSEMENT_UNTRUSTED',
    'no pinned maker has issued the endorsement certificate',
  );
  let paths = 0;
  for (const path of pathsOf(certificate, authorities, between)) {
    // What an unknown issuer writes is not worth a word, so that the chip's own certificate is judged only now.
    if (paths++ === 0) checkPurpose(certificate, pinned.endorsementPurpose ?? 'required', nowMs);
    try {
      checkPath(path, nowMs);
      return;
    } catch (refusal) {
      if (paths === 1) fault = refusal;
    }
  }
  throw fault;
}

function checkPurpose(certificate: X509Certificate, policy: PurposePolicy, nowMs: number): void {
  const fields = readCertificateFields(certificate.raw);
  const wrong = wrongPurpose(certificate, fields, policy);
  if (wrong !== null) throw new AttestationError('ENDORSEMENT_PURPOSE', `not for an endorsement key: ${wrong}`);
  const unknown = unknownCritical(fields, judgedOfChips);
  if (unknown !== null)
    throw new AttestationError('ENDORSEMENT_CHAIN', `a critical extension that is not known here, ${unknown}`);
  if (!isValid(certificate, nowMs))
    throw new AttestationError('ENDORSEMENT_EXPIRED', 'the endorsement certificate is not valid at this time');
}

/** What of it contradicts that it is for an endorsement key; `null` where nothing does. */
function wrongPurpose(certificate: X509Certificate, fields: CertificateFields, policy: PurposePolicy): string | null {
  const { version, isAuthority, hasSubject, keyUsage, purposes, extensions } = fields;
  if (version !== 3) return 'no certificate of version 3';
  if (isAuthority) return 'that of an authority';
  const wanted = certificate.publicKey.asymmetricKeyType === 'rsa' ? usages.keyEncipherment : usages.keyAgreement;
  if (keyUsage === null || (keyUsage & wanted) === 0) return 'a key usage that opens no credentials';
  if (purposes === null ? policy === 'required' : !purposes.includes(EK_PURPOSE))
    return 'its extended key usage is without tcg-kp-EKCertificate';
  const names = extensions.get(extensionIds.subjectAltName);
  if (!hasSubject && names?.critical !== true) return 'neither a subject nor a critical name beside it';
  const { manufacturer, model, version: firmware } = chipOf(certificate);
  if (names?.critical === true && [manufacturer, model, firmware].includes(''))
    return 'a critical name that does not tell maker, model and version of a TPM';
  return null;
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

/** @throws AttestationError, TssError where it is written otherwise */
function* tpmAttributes(der: Buffer): Generator<{ readonly oid: number; readonly value: Buffer }> {
  const names = readCertificateFields(der).extensions.get(extensionIds.subjectAltName);
  if (names === undefined) return;
  for (const name of elements(inner(names.value), 32)) {
    if (name.tag !== DIRECTORY_NAME) continue;
    for (const set of elements(inner(name.contents), 16)) {
      for (const pair of elements(set.contents, 16)) {
        const [type, text] = elements(pair.contents, 2);
        const oid = type?.tag === tags.oid ? type.contents : undefined;
        if (oid?.length !== 5 || !oid.subarray(0, 4).equals(TPM_ATTRIBUTE) || text === undefined) continue;
        const number = oid[4] ?? 0;
        if (number >= 1 && number <= 3) yield { oid: number, value: text.contents };
      }
    }
  }
}

/** The contents of the one element in these bytes. */
function inner(bytes: Buffer): Buffer {
  return elements(bytes, 1)[0]?.contents ?? Buffer.alloc(0);
}

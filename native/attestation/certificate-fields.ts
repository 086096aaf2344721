import { type Element, elements, only, tags } from '../der.ts';
import { AttestationError } from './error.ts';

const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const BIT_STRING = 0x03;
const mostExtensions = 64;
const mostPurposes = 32;

export interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Bits of the first byte of keyUsage (RFC 5280 §4.2.1.3). */
export const usages = { keyEncipherment: 0x20, keyAgreement: 0x08, keyCertSign: 0x04 } as const;

/** OIDs of extensions (RFC 5280 §4.2.1), as they are written. */
export const extensionIds = {
  subjectDirectoryAttributes: '2.5.29.9',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** What of an X.509 certificate (RFC 5280 §4.1) Node's own class does not tell, or not whole. */
export interface CertificateFields {
  readonly version: number;
  readonly hasSubject: boolean;
  readonly isSelfIssued: boolean;
  /** OID of the algorithm that it is signed with. */
  readonly signatureAlgorithm: string;
  readonly extensions: ReadonlyMap<string, Extension>;
  /** By basicConstraints alone: Node's `ca` wants the matching key usage as well. */
  readonly isAuthority: boolean;
  /** How many authorities may follow below; `null` where it does not say. */
  readonly pathLength: number | null;
  /** Bits of `usages`; `null` where it does not say. */
  readonly keyUsage: number | null;
  /** OIDs of extendedKeyUsage; `null` where it does not say. */
  readonly purposes: readonly string[] | null;
}

/**
 * The fields of a certificate. Strict, but for a `critical` that is written out where it is FALSE, as one maker does.
 * @param der a whole certificate
 * @throws AttestationError STRUCTURE_INVALID, also for an extension that comes twice
 */
export function readCertificateFields(der: Buffer): CertificateFields {
  try {
    return read(der);
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause;
    throw new AttestationError('STRUCTURE_INVALID', 'a certificate does not parse', cause);
  }
}

function read(der: Buffer): CertificateFields {
  const [tbs, algorithm] = elements(only(der, tags.sequence, 'no certificate'), 3);
  const fields = elements(contentsOf(tbs, tags.sequence), 10);
  const hasVersion = fields[0]?.tag === VERSION;
  const [, , issuer, , subject] = hasVersion ? fields.slice(1) : fields;
  const version = hasVersion ? contentsOf(elements(contentsOf(fields[0], VERSION), 1)[0], tags.integer) : null;
  const extensions = readExtensions(fields.find(({ tag }) => tag === EXTENSIONS));
  const extended = (id: string) => extensions.get(id)?.value ?? null;
  return {
    version: version === null ? 1 : version.readUIntBE(0, version.length) + 1,
    hasSubject: contentsOf(subject, tags.sequence).length > 0,
    isSelfIssued: contentsOf(issuer, tags.sequence).equals(contentsOf(subject, tags.sequence)),
    signatureAlgorithm: dotted(contentsOf(elements(contentsOf(algorithm, tags.sequence), 2)[0], tags.oid)),
    extensions,
    ...readBasicConstraints(extended(extensionIds.basicConstraints)),
    keyUsage: readKeyUsage(extended(extensionIds.keyUsage)),
    purposes: readPurposes(extended(extensionIds.extendedKeyUsage)),
  };
}

function readExtensions(element: Element | undefined): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>();
  if (element === undefined) return found;
  for (const extension of elements(only(element.contents, tags.sequence, 'no extensions'), mostExtensions)) {
    const [type, ...rest] = elements(contentsOf(extension, tags.sequence), 3);
    const flag = rest[0]?.tag === tags.boolean ? rest.shift() : undefined;
    const id = dotted(contentsOf(type, tags.oid));
    if (found.has(id)) throw new Error(`extension ${id} comes twice`);
    found.set(id, { critical: isTrue(flag), value: contentsOf(rest[0], tags.octets) });
  }
  return found;
}

const isTrue = (element: Element | undefined) => element?.contents.some((byte) => byte !== 0) ?? false;

function readBasicConstraints(value: Buffer | null): Pick<CertificateFields, 'isAuthority' | 'pathLength'> {
  const parts = value === null ? [] : elements(only(value, tags.sequence, 'no basicConstraints'), 2);
  const length = parts.find(({ tag }) => tag === tags.integer)?.contents ?? null;
  if (length !== null && (length.length !== 1 || (length[0] ?? 0) > 0x7f))
    throw new Error('a path length out of range');
  const isAuthority = isTrue(parts.find(({ tag }) => tag === tags.boolean));
  return { isAuthority, pathLength: length?.[0] ?? null };
}

function readKeyUsage(value: Buffer | null): number | null {
  return value === null ? null : (only(value, BIT_STRING, 'no keyUsage')[1] ?? 0);
}

function readPurposes(value: Buffer | null): readonly string[] | null {
  if (value === null) return null;
  const purposes = elements(only(value, tags.sequence, 'no extendedKeyUsage'), mostPurposes);
  return purposes.map((purpose) => dotted(contentsOf(purpose, tags.oid)));
}

function contentsOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new Error('another element');
  return element.contents;
}

/** `67 81 05 08 01` → `2.23.133.8.1` (X.690 §8.19). */
function dotted(oid: Buffer): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of oid) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length > 0) numbers.push(number);
    else numbers.push(Math.min(2, Math.floor(number / 40)), number - 40 * Math.min(2, Math.floor(number / 40)));
    number = 0;
  }
  return numbers.join('.');
}

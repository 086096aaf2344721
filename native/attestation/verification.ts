/**
 * The whole judgement over a device's evidence, in one place: each check alone proves nothing, and evidence of several
 * devices must not add up to one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { checkSignature, readCertifiedKey } from './attest.ts';
import { readCertificateRequest } from './certificate-request.ts';
import {
  type Chip,
  checkEndorsementChain,
  chipOf,
  type PurposePolicy,
  readEndorsementCertificate,
} from './endorsement-certificate.ts';
import { type AttestationCode, AttestationError } from './error.ts';
import { algorithms, attributes, type PublicArea, readPublicArea } from './public-area.ts';

/** What a device sends with its certificate request. */
export interface Evidence {
  /** PKCS#10, PEM. */
  readonly csrPem: string;
  /** X.509, DER; null where the chip has none. */
  readonly ekCertificate: Buffer | null;
  /** TPM2B_PUBLIC of the endorsement key, of the attestation key, of the key that asks for a certificate. */
  readonly ekPublic: Buffer;
  readonly akPublic: Buffer;
  readonly keyPublic: Buffer;
}

/** Which chips are believed. */
export interface Trust {
  /** PEM, one certificate each: authorities of TPM makers. */
  readonly authorities: readonly string[];
  /** PEM: what may lie between an endorsement certificate and an authority; trusted for nothing by themselves. */
  readonly intermediates?: readonly string[];
  /** `endorsementHash` of chips that are known one by one: some have no certificate. */
  readonly endorsementHashes: readonly string[];
  /** Whether an endorsement certificate must say that it is one; `required` where absent. */
  readonly endorsementPurpose?: PurposePolicy;
}

/** What a device proves with its answer. */
export interface Answer {
  /** From the credential. */
  readonly secret: Buffer;
  /** TPMS_ATTEST and TPMT_SIGNATURE of TPM2_Certify. */
  readonly certifyInfo: Buffer;
  readonly certifySignature: Buffer;
}

/** A device whose key is in a genuine TPM. */
export interface HardwareIdentity extends Chip {
  /** Whose word it is: the maker's certificate, or the verifier's own list. */
  readonly vouchedBy: 'certificate' | 'allow-list';
  /** SHA-256 of the endorsement key's SubjectPublicKeyInfo, hex: the chip, as long as it lives. */
  readonly endorsementHash: string;
  /** The attestation key's name, hex. */
  readonly attestationKey: string;
}

/** What the verifier has asked; told to nobody, used once. */
export interface Expectation {
  readonly nonce: Buffer;
  readonly secret: Buffer;
}

/** Evidence whose parts fit together, taken for itself: nothing is proved before the answer. */
export interface JudgedEvidence {
  readonly endorsement: PublicArea;
  readonly attestation: PublicArea;
  readonly key: PublicArea;
  readonly csrDer: Buffer;
  readonly identity: HardwareIdentity;
}

/** What TPM2_Certify is asked to sign in: it binds challenge, secret and request to one certification. */
export function qualifyingData(nonce: Uint8Array, secret: Uint8Array, csrDer: Uint8Array): Buffer {
  return createHash('sha256').update(nonce).update(secret).update(csrDer).digest();
}

/** SHA-256 of the SubjectPublicKeyInfo of an endorsement key, hex: what an allow-list holds. @param area TPM2B_PUBLIC */
export function endorsementHash(area: Uint8Array): string {
  return hashOf(readPublicArea(area, 'ek_public'));
}

function hashOf({ publicKey }: PublicArea): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

const fixed = attributes.fixedTpm | attributes.fixedParent | attributes.sensitiveDataOrigin;

function demand(area: PublicArea, set: number, clear: number, code: AttestationCode, what: string): void {
  if ((area.attributes & set) === set && (area.attributes & clear) === 0) return;
  throw new AttestationError(code, `${what} has other attributes than it must have`);
}

/**
 * Everything that can be judged before a challenge: structures, attributes, the chip, the request.
 * @throws AttestationError
 */
export function judgeEvidence(evidence: Evidence, trust: Trust, nowMs: number): JudgedEvidence {
  const endorsement = readPublicArea(evidence.ekPublic, 'ek_public');
  const attestation = readPublicArea(evidence.akPublic, 'ak_public');
  const key = readPublicArea(evidence.keyPublic, 'key_public');
  const { restricted, decrypt, sign } = attributes;
  demand(endorsement, fixed | restricted | decrypt, sign, 'ENDORSEMENT_ATTRIBUTES', 'the endorsement key');
  demand(attestation, fixed | restricted | sign, decrypt, 'ATTESTATION_KEY_ATTRIBUTES', 'the attestation key');
  const { scheme } = attestation;
  if (scheme?.algorithm !== algorithms.ecdsa || scheme.hash !== algorithms.sha256) {
    throw new AttestationError('ATTESTATION_KEY_ATTRIBUTES', 'the attestation key signs with another scheme');
  }
  // One that decrypts could open credentials; a restricted one cannot sign a handshake.
  demand(key, fixed | sign, restricted | decrypt, 'KEY_ATTRIBUTES', 'the key');
  const request = readCertificateRequest(evidence.csrPem);
  if (!request.publicKey.equals(key.publicKey)) {
    throw new AttestationError('REQUEST_KEY_MISMATCH', 'the request is for another key than the certified one');
  }
  if (!request.hasOwnSignature) {
    throw new AttestationError('REQUEST_SIGNATURE', 'the request is not signed by its own key');
  }
  const identity = judgeChip(evidence, endorsement, attestation, trust, nowMs);
  return { endorsement, attestation, key, csrDer: request.der, identity };
}

function judgeChip(
  { ekCertificate }: Evidence,
  endorsement: PublicArea,
  attestation: PublicArea,
  trust: Trust,
  nowMs: number,
): HardwareIdentity {
  const hash = hashOf(endorsement);
  const known = { endorsementHash: hash, attestationKey: attestation.name.toString('hex') };
  const listed = trust.endorsementHashes.includes(hash);
  const unnamed = { ...known, vouchedBy: 'allow-list', manufacturer: '', model: '', version: '' } as const;
  if (ekCertificate === null) {
    if (!listed) throw new AttestationError('ENDORSEMENT_UNTRUSTED', 'no certificate, and the chip is not on the list');
    return unnamed;
  }
  const certificate = readEndorsementCertificate(ekCertificate);
  if (!certificate.publicKey.equals(endorsement.publicKey)) {
    throw new AttestationError('ENDORSEMENT_MISMATCH', 'the endorsement certificate is that of another chip');
  }
  if (!listed) {
    checkEndorsementChain(certificate, trust, nowMs);
    return { ...known, vouchedBy: 'certificate', ...chipOf(certificate) };
  }
  try {
    checkEndorsementChain(certificate, trust, nowMs);
    return { ...unnamed, ...chipOf(certificate) };
  } catch {
    // The list knows the chip and no name of it, and anybody could have written this certificate.
    return unnamed;
  }
}

/**
 * Judge evidence and answer together, from the bytes up.
 * @throws AttestationError naming the first check that does not hold
 */
export function verifyAnswer(
  evidence: Evidence,
  expectation: Expectation,
  answer: Answer,
  trust: Trust,
  nowMs: number,
): HardwareIdentity {
  const { attestation, key, csrDer, identity } = judgeEvidence(evidence, trust, nowMs);
  const { nonce, secret } = expectation;
  if (answer.secret.length !== secret.length || !timingSafeEqual(answer.secret, secret)) {
    throw new AttestationError('SECRET_MISMATCH', 'the chip has not opened this credential');
  }
  checkSignature(answer.certifySignature, answer.certifyInfo, attestation.publicKey);
  const { extraData, name } = readCertifiedKey(answer.certifyInfo);
  if (!extraData.equals(qualifyingData(nonce, secret, csrDer))) {
    throw new AttestationError('ATTEST_NONCE', 'certified for another challenge or another request');
  }
  if (!name.equals(key.name)) throw new AttestationError('ATTEST_NAME', 'another key was certified');
  return identity;
}

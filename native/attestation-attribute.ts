import { createHash } from 'node:crypto';
import { encode, tags } from './der.ts';
import { TssError } from './error.ts';

const SET = 0x31;
/** id-aa-attestation: 1.2.840.113549.1.9.16.2.59. */
export const ATTESTATION_ATTRIBUTE = Buffer.from('2a864886f70d010910023b', 'hex');
/** tcg-attest-tpm-certify: 2.23.133.20.1. */
export const TPM_CERTIFY = Buffer.from('6781051401', 'hex');

/** What TPM2_Certify says of the key that asks for a certificate. */
export interface CertifyStatement {
  /** TPMS_ATTEST and TPMT_SIGNATURE: `tpm.certify` over `ownQualifyingData`. */
  readonly certifyInfo: Buffer;
  readonly certifySignature: Buffer;
  /** TPM2B_PUBLIC of the certified key: its name is in `certifyInfo`. */
  readonly keyPublic: Buffer;
}

/**
 * What is signed into the certification of a key for its own request: no verifier has asked, so nothing is fresh.
 * @param publicKey SubjectPublicKeyInfo, DER
 */
export function ownQualifyingData(publicKey: Uint8Array): Buffer {
  return createHash('sha256').update(publicKey).digest();
}

/**
 * The attribute by which a certificate request carries its own evidence (draft-ietf-lamps-csr-attestation-24), with
 * one statement of the TCG's kind TPM2_Certify.
 * @param certificates X.509, DER: what may help an authority to know the attestation key by
 * @returns Attribute (RFC 2986 §4.1), DER
 * @throws TssError ARGUMENT_INVALID for a public area that is none
 */
export function attestationAttribute(statement: CertifyStatement, certificates: readonly Uint8Array[] = []): Buffer {
  const { certifyInfo, certifySignature, keyPublic } = statement;
  if (keyPublic.length < 3 || keyPublic.readUInt16BE(0) !== keyPublic.length - 2)
    throw new TssError('ARGUMENT_INVALID', 'keyPublic is no TPM2B_PUBLIC');
  const parts = [certifyInfo, certifySignature, keyPublic.subarray(2)].map((part) => encode(tags.octets, part));
  const one = encode(tags.sequence, encode(tags.oid, TPM_CERTIFY), encode(tags.sequence, ...parts));
  const help = certificates.length === 0 ? [] : [encode(tags.sequence, ...certificates)];
  const bundle = encode(tags.sequence, encode(tags.sequence, one), ...help);
  return encode(tags.sequence, encode(tags.oid, ATTESTATION_ATTRIBUTE), encode(SET, bundle));
}

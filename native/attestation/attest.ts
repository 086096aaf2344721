import { type KeyObject, verify } from 'node:crypto';
import { AttestationError } from './error.ts';
import { algorithms, padded } from './public-area.ts';
import { Reader } from './reader.ts';

/** TPM_GENERATED_VALUE: what a restricted key refuses to sign for anybody but its TPM. */
const GENERATED = 0xff544347;
/** TPM_ST_ATTEST_CERTIFY. */
const CERTIFY = 0x8017;

/** What a TPM says of a key that it certifies (TPMS_ATTEST with TPMS_CERTIFY_INFO, part 2, §10.12). */
export interface CertifiedKey {
  /** The verifier's own bytes, signed in. */
  readonly extraData: Buffer;
  /** The certified key's name. */
  readonly name: Buffer;
}

/** @throws AttestationError STRUCTURE_INVALID, ATTEST_TYPE for anything else than a TPM's word about a key */
export function readCertifiedKey(attest: Uint8Array): CertifiedKey {
  const reader = new Reader(attest, 'certify_info');
  if (reader.u32() !== GENERATED) throw new AttestationError('ATTEST_TYPE', 'no TPM has generated this');
  if (reader.u16() !== CERTIFY) throw new AttestationError('ATTEST_TYPE', 'another attestation than of a key');
  reader.sized(); // qualifiedSigner
  const extraData = reader.sized();
  reader.take(17); // clockInfo: clock, resetCount, restartCount, safe
  reader.take(8); // firmwareVersion
  const name = reader.sized();
  reader.sized(); // qualifiedName
  reader.end();
  return { extraData, name };
}

/**
 * Check a TPMT_SIGNATURE, ECDSA with SHA-256.
 * @throws AttestationError STRUCTURE_INVALID, SIGNATURE_INVALID
 */
export function checkSignature(signature: Uint8Array, signed: Uint8Array, key: KeyObject): void {
  const reader = new Reader(signature, 'certify_signature');
  if (reader.u16() !== algorithms.ecdsa || reader.u16() !== algorithms.sha256) {
    throw new AttestationError('SIGNATURE_INVALID', 'another scheme than ECDSA with SHA-256');
  }
  const [r, s] = [reader.sized(), reader.sized()];
  reader.end();
  if (r.length > 32 || s.length > 32) throw reader.malformed('a number that is too long');
  const pair = Buffer.concat([padded(r, 32), padded(s, 32)]);
  if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, pair)) {
    throw new AttestationError('SIGNATURE_INVALID', 'the attestation key has not signed this');
  }
}

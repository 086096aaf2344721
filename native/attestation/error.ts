/** Why evidence was refused. Closed: a code for each check, so that none hides behind another. */
export type AttestationCode =
  | 'STRUCTURE_INVALID'
  | 'ENDORSEMENT_UNTRUSTED'
  | 'ENDORSEMENT_EXPIRED'
  | 'ENDORSEMENT_PURPOSE'
  | 'ENDORSEMENT_CHAIN'
  | 'ENDORSEMENT_MISMATCH'
  | 'ENDORSEMENT_ATTRIBUTES'
  | 'ATTESTATION_KEY_ATTRIBUTES'
  | 'KEY_ATTRIBUTES'
  | 'REQUEST_INVALID'
  | 'REQUEST_SIGNATURE'
  | 'REQUEST_KEY_MISMATCH'
  | 'CHALLENGE_UNKNOWN'
  | 'CHALLENGE_EXPIRED'
  | 'SECRET_MISMATCH'
  | 'SIGNATURE_INVALID'
  | 'ATTEST_TYPE'
  | 'ATTEST_NONCE'
  | 'ATTEST_NAME';

/** Evidence that does not hold. `code` says which check refused it; the message is for the log. */
export class AttestationError extends Error {
  override readonly name = 'AttestationError';
  readonly code: AttestationCode;

  constructor(code: AttestationCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

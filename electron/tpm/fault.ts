import { type TpmErrorCode, TssError } from 'node-tss';
import { type ErrorCode, PlayerError } from '../errors.ts';

const codes: Readonly<Record<TpmErrorCode, ErrorCode>> = {
  TPM_ABSENT: 'TPM_ABSENT',
  TPM_ACCESS_DENIED: 'TPM_ACCESS_DENIED',
  TPM_CONNECTION: 'TPM_FAILED',
  TPM_SLOTS_FULL: 'TPM_BUSY',
  TPM_LOCKED_OUT: 'TPM_LOCKED_OUT',
  TPM_RETRY: 'TPM_BUSY',
  TPM_OWNER_AUTH: 'TPM_AUTH_REFUSED',
  TPM_FAILED: 'TPM_FAILED',
  KEY_LOST: 'KEY_LOST',
  KEY_INVALID: 'KEY_INVALID',
  KEY_AUTH: 'TPM_AUTH_REFUSED',
  KEY_CLOSED: 'INTERNAL',
  PARENT_MISSING: 'KEY_INVALID',
};

/** An error of the native layer in the player's words; anything else passes unchanged. */
export function fromTss(thrown: unknown): unknown {
  if (!(thrown instanceof TssError)) return thrown;
  const code = Object.hasOwn(codes, thrown.code) ? codes[thrown.code as TpmErrorCode] : 'TPM_FAILED';
  return new PlayerError(code, thrown.message, thrown);
}

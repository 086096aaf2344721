import { type TpmErrorCode, TssError } from 'node-tss';
import { type ErrorCode, PlayerError, tpmCodes } from '../errors.ts';

const codes: Readonly<Record<TpmErrorCode, ErrorCode>> = tpmCodes;

/** An error of the native layer in the player's words; anything else passes unchanged. */
export function fromTss(thrown: unknown): unknown {
  if (!(thrown instanceof TssError)) return thrown;
  const code = Object.hasOwn(codes, thrown.code) ? codes[thrown.code as TpmErrorCode] : 'TPM_FAILED';
  return new PlayerError(code, thrown.message, thrown);
}

import type { TlsErrorCode, TpmErrorCode, TssErrorShape } from './api.ts';

/** What node-tss throws. `code` decides; the message is for the log and names the remedy. */
export class TssError extends Error implements TssErrorShape {
  override readonly name = 'TssError';
  readonly code: TpmErrorCode | TlsErrorCode;
  /** The numeric TSS2_RC where a TPM call failed. */
  readonly rc: number | undefined;

  constructor(
    code: TpmErrorCode | TlsErrorCode,
    message: string,
    more: { readonly rc?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.rc = more.rc;
  }
}

interface AddonFailure extends Error {
  readonly code: TpmErrorCode | TlsErrorCode;
  readonly rc?: number;
}

function isAddonFailure(thrown: unknown): thrown is AddonFailure {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string';
}

/** A failure of the addon as a TssError; anything else, a bug, stays as it is. */
export function asTssError(thrown: unknown): unknown {
  if (thrown instanceof TssError || !isAddonFailure(thrown)) return thrown;
  return new TssError(thrown.code, thrown.message, { rc: thrown.rc });
}

/** Runs a call into the addon. @throws TssError */
export function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw asTssError(thrown);
  }
}

/** Like `translated` for calls that answer later. */
export async function settled<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw asTssError(thrown);
  }
}

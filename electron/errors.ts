/** What can be done about an error: try again later, ask a person, or fix the program. */
export type Recovery = 'retry' | 'operator' | 'bug';

/** The closed set of error codes and the recovery of each. */
export const recoveries = {
  SETTINGS_INVALID: 'operator',
  STATE_UNWRITABLE: 'operator',
  STATE_LOCKED: 'operator',
  STATE_CORRUPT: 'operator',
  SWITCH_REFUSED: 'operator',
  TPM_ABSENT: 'operator',
  TPM_ACCESS_DENIED: 'operator',
  TPM_BUSY: 'retry',
  TPM_LOCKED_OUT: 'retry',
  TPM_AUTH_REFUSED: 'operator',
  TPM_FAILED: 'retry',
  KEY_LOST: 'operator',
  KEY_INVALID: 'operator',
  KEY_PARENT_MISSING: 'operator',
  KEY_AUTH_REFUSED: 'operator',
  ATTESTATION_UNAVAILABLE: 'operator',
  ATTESTATION_REQUIRED: 'operator',
  ATTESTATION_REFUSED: 'operator',
  REQUEST_INVALID: 'bug',
  CERTIFICATE_INVALID: 'operator',
  CERTIFICATE_KEY_MISMATCH: 'operator',
  CERTIFICATE_UNTRUSTED: 'operator',
  CERTIFICATE_USAGE: 'operator',
  CERTIFICATE_DATES: 'retry',
  CERTIFICATE_UNUSABLE: 'operator',
  CONNECTION_FAILED: 'retry',
  CONNECTION_TIMEOUT: 'retry',
  CONNECTION_REFUSED: 'retry',
  NAME_UNRESOLVED: 'retry',
  PROXY_UNREACHABLE: 'retry',
  PROXY_REFUSED: 'operator',
  PROXY_PROTOCOL: 'operator',
  TLS_PROTOCOL: 'retry',
  TRUST_INVALID: 'operator',
  SERVER_UNTRUSTED: 'operator',
  SERVER_EXPIRED: 'operator',
  SERVER_WRONG_HOST: 'operator',
  SERVER_REFUSED_CERTIFICATE: 'operator',
  SERVER_REPLY_INVALID: 'retry',
  SERVER_REPLY_TOO_LARGE: 'retry',
  SERVER_ERROR: 'retry',
  HOST_REFUSED: 'operator',
  REGISTRATION_REFUSED: 'operator',
  REGISTRATION_DENIED: 'operator',
  SCREEN_SUSPENDED: 'operator',
  PLAYLIST_INVALID: 'retry',
  PLAYLIST_STALE: 'retry',
  MEDIA_LENGTH: 'retry',
  MEDIA_DIGEST: 'retry',
  MEDIA_KIND: 'retry',
  MEDIA_MISSING: 'retry',
  STORE_FULL: 'operator',
  STORE_INODES_FULL: 'operator',
  STORE_READ_ONLY: 'operator',
  STORE_FAILED: 'retry',
  PREDICATE_INVALID: 'operator',
  IPC_REFUSED: 'bug',
  INTERNAL: 'bug',
} as const satisfies Record<string, Recovery>;

export type ErrorCode = keyof typeof recoveries;

/**
 * What the native layer says of the TPM, in the player's codes. The same when the key is opened and when it signs a
 * handshake.
 */
export const tpmCodes = {
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
  KEY_AUTH: 'KEY_AUTH_REFUSED',
  KEY_CLOSED: 'INTERNAL',
  PARENT_MISSING: 'KEY_PARENT_MISSING',
  TPM_ENDORSEMENT_AUTH: 'ATTESTATION_UNAVAILABLE',
  ENDORSEMENT_UNSUPPORTED: 'ATTESTATION_UNAVAILABLE',
  CREDENTIAL_REFUSED: 'ATTESTATION_UNAVAILABLE',
} as const satisfies Record<string, ErrorCode>;

/** The player's one error class. Nobody reads the message to decide: the code decides. */
export class PlayerError extends Error {
  override readonly name = 'PlayerError';
  readonly code: ErrorCode;
  /** Milliseconds that the server asked to be left alone for, where it did. */
  readonly retryAfterMs: number | undefined;

  /**
   * @param code one of the closed set
   * @param message what is wrong and, for `operator` codes, the remedy; goes to the log, never to the page
   * @param cause the error that led here, where there is one
   * @param retryAfterMs what the server's Retry-After says
   */
  constructor(code: ErrorCode, message: string, cause?: unknown, retryAfterMs?: number) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  get recovery(): Recovery {
    return recoveries[this.code];
  }
}

/** Any thrown value as a PlayerError; what is not one already is a bug. */
export function asPlayerError(thrown: unknown): PlayerError {
  if (thrown instanceof PlayerError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PlayerError('INTERNAL', message, thrown);
}

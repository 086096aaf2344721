import { type TlsErrorCode, TssError } from 'node-tss';
import { type ErrorCode, PlayerError } from '../errors.ts';

const tlsCodes: Readonly<Record<TlsErrorCode, ErrorCode>> = {
  NAME_UNRESOLVED: 'NAME_UNRESOLVED',
  CONNECTION_REFUSED: 'CONNECTION_FAILED',
  CONNECTION_FAILED: 'CONNECTION_FAILED',
  CONNECTION_TIMEOUT: 'CONNECTION_TIMEOUT',
  SERVER_UNTRUSTED: 'SERVER_UNTRUSTED',
  SERVER_EXPIRED: 'SERVER_UNTRUSTED',
  SERVER_WRONG_HOST: 'SERVER_UNTRUSTED',
  SERVER_REFUSED_CERTIFICATE: 'SERVER_REFUSED_CERTIFICATE',
  TLS_PROTOCOL: 'CONNECTION_FAILED',
  CLIENT_CERTIFICATE_INVALID: 'CERTIFICATE_INVALID',
  ARGUMENT_INVALID: 'INTERNAL',
};

const undiciCodes: Readonly<Record<string, ErrorCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'CONNECTION_TIMEOUT',
  UND_ERR_HEADERS_TIMEOUT: 'CONNECTION_TIMEOUT',
  UND_ERR_BODY_TIMEOUT: 'CONNECTION_TIMEOUT',
  UND_ERR_HEADERS_OVERFLOW: 'SERVER_REPLY_TOO_LARGE',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'SERVER_REPLY_TOO_LARGE',
};

/** A transport error as a PlayerError. A TPM that fails during the handshake keeps its own code. */
export function transportFault(thrown: unknown): PlayerError {
  for (let at = thrown; at instanceof Error; at = at.cause) {
    if (at instanceof PlayerError) return at;
    if (at instanceof TssError) return new PlayerError(tssCode(at.code), at.message, thrown);
    const code = (at as NodeJS.ErrnoException).code;
    if (code !== undefined && Object.hasOwn(undiciCodes, code))
      return new PlayerError(undiciCodes[code] ?? 'CONNECTION_FAILED', at.message, thrown);
  }
  return new PlayerError('CONNECTION_FAILED', thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

function tssCode(code: string): ErrorCode {
  if (Object.hasOwn(tlsCodes, code)) return tlsCodes[code as TlsErrorCode];
  return code === 'KEY_LOST' ? 'KEY_LOST' : 'TPM_FAILED';
}

import { type TlsErrorCode, type TpmErrorCode, TssError } from 'node-tss';
import { type ErrorCode, PlayerError, tpmCodes } from '../errors.ts';

/** The TPM side occurs here because the key signs in the handshake. */
const tssCodes: Readonly<Record<TlsErrorCode | TpmErrorCode, ErrorCode>> = {
  NAME_UNRESOLVED: 'NAME_UNRESOLVED',
  CONNECTION_REFUSED: 'CONNECTION_REFUSED',
  CONNECTION_FAILED: 'CONNECTION_FAILED',
  CONNECTION_TIMEOUT: 'CONNECTION_TIMEOUT',
  SERVER_UNTRUSTED: 'SERVER_UNTRUSTED',
  SERVER_EXPIRED: 'SERVER_EXPIRED',
  SERVER_WRONG_HOST: 'SERVER_WRONG_HOST',
  SERVER_REFUSED_CERTIFICATE: 'SERVER_REFUSED_CERTIFICATE',
  TLS_PROTOCOL: 'TLS_PROTOCOL',
  PROXY_UNREACHABLE: 'PROXY_UNREACHABLE',
  PROXY_REFUSED: 'PROXY_REFUSED',
  PROXY_PROTOCOL: 'PROXY_PROTOCOL',
  TRUST_INVALID: 'TRUST_INVALID',
  CLIENT_CERTIFICATE_INVALID: 'CERTIFICATE_INVALID',
  ARGUMENT_INVALID: 'INTERNAL',
  ...tpmCodes,
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
    // The signal of a whole call's deadline aborts with a DOMException of this name (DOM Standard §3.2).
    if (at.name === 'TimeoutError') return new PlayerError('CONNECTION_TIMEOUT', at.message, thrown);
    const code = (at as NodeJS.ErrnoException).code;
    if (code !== undefined && Object.hasOwn(undiciCodes, code))
      return new PlayerError(undiciCodes[code] ?? 'CONNECTION_FAILED', at.message, thrown);
  }
  return new PlayerError('CONNECTION_FAILED', thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

function tssCode(code: string): ErrorCode {
  return Object.hasOwn(tssCodes, code) ? tssCodes[code as keyof typeof tssCodes] : 'TPM_FAILED';
}

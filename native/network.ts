import type { Socket } from 'node:net';
import type { TlsErrorCode } from './api.ts';
import { TssError } from './error.ts';

const codes: Readonly<Record<string, TlsErrorCode>> = {
  ENOTFOUND: 'NAME_UNRESOLVED',
  EAI_AGAIN: 'NAME_UNRESOLVED',
  EAI_FAIL: 'NAME_UNRESOLVED',
  EAI_NODATA: 'NAME_UNRESOLVED',
  EAI_NONAME: 'NAME_UNRESOLVED',
  ECONNREFUSED: 'CONNECTION_REFUSED',
  ETIMEDOUT: 'CONNECTION_TIMEOUT',
};

/** An error of name resolution or TCP as a TssError, the original as its cause. */
export function networkError(error: Error): TssError {
  // With several addresses to try, Node reports one error for all of them.
  const first = error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as Error) : error;
  const errno = 'code' in first && typeof first.code === 'string' ? first.code : '';
  return new TssError(codes[errno] ?? 'CONNECTION_FAILED', first.message, { cause: error });
}

/** Close a socket once what it holds has left; a peer that does not read is not waited for. */
export function letGo(socket: Socket): void {
  if (socket.writableLength === 0) socket.destroySoon();
  else socket.destroy();
}

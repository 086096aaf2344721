import { isIP, type Socket } from 'node:net';
import { converse } from './dialogue.ts';
import { TssError } from './error.ts';
import { networkError } from './network.ts';
import type { ProxyRoute } from './proxy.ts';
import { ProxyAnswer } from './proxy-answer.ts';

/**
 * Ask a proxy for a tunnel (RFC 9110 §9.3.6, RFC 9112 §3.2.3). The proxy resolves the name. Afterwards the socket is
 * the tunnel.
 * @throws TssError PROXY_UNREACHABLE, PROXY_REFUSED, PROXY_PROTOCOL, ARGUMENT_INVALID; the signal's reason
 */
export async function openTunnel(
  socket: Socket,
  route: ProxyRoute,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  const authority = authorityOf(target.host, target.port);
  const authorization = route.authorization === undefined ? '' : `Proxy-Authorization: ${route.authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`, 'latin1');
  const answer = new ProxyAnswer();
  await converse(socket, signal, { take: (chunk) => answer.take(chunk), lost: unreachable });
}

function unreachable(error: Error | undefined): TssError {
  if (error === undefined) return new TssError('PROXY_UNREACHABLE', 'the proxy hung up before it answered');
  return new TssError('PROXY_UNREACHABLE', `the proxy cannot be reached: ${networkError(error).message}`, {
    cause: error,
  });
}

/** What follows CONNECT and Host. A host that could carry a line of its own is refused. */
function authorityOf(host: string, port: number): string {
  if (isIP(host) === 6) return `[${host}]:${port}`;
  if (!/^[a-z0-9._-]{1,255}$/i.test(host)) throw new TssError('ARGUMENT_INVALID', 'not a host name');
  return `${host}:${port}`;
}

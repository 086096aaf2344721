import { isIP, type Socket } from 'node:net';
import { converse } from './dialogue.ts';
import { TssError } from './error.ts';
import { networkError } from './network.ts';
import type { ProxyRoute } from './proxy.ts';

const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = '\r\n\r\n';
const VERSION = 'HTTP/1.';

/** What the operator can do about an answer. The proxy's own words are not repeated: nobody vouches for them. */
const remedies: Readonly<Record<number, string>> = {
  403: 'allow the server and its port in the proxy',
  405: 'allow CONNECT in the proxy',
  407: 'give it Basic credentials that it accepts',
  502: 'the proxy does not reach the server: check its network and the server’s name',
  503: 'the proxy does not reach the server: check its network and the server’s name',
  504: 'the proxy does not reach the server: check its network and the server’s name',
};

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
  socket.write(`CONNECT ${authority} ${VERSION}1\r\nHost: ${authority}\r\n${authorization}\r\n`, 'latin1');
  const answer = new Answer();
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

class Answer {
  #pending = Buffer.alloc(0);
  #receivedBytes = 0;

  /** @returns whether the tunnel is open */
  take(chunk: Buffer): boolean {
    this.#receivedBytes += chunk.length;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = this.#pending.indexOf(HEAD_END);
      if (end < 0 || this.#receivedBytes - this.#pending.length + end > MAX_HEAD_BYTES) break;
      const status = statusOf(this.#pending.subarray(0, end));
      this.#pending = this.#pending.subarray(end + HEAD_END.length);
      // Interim answers may come before the one that counts (RFC 9110 §15.2).
      if (status < 200 && status !== 101) continue;
      if (status < 200 || status > 299) throw refusal(status);
      // TLS servers never speak first: whoever sent these bytes was not asked.
      if (this.#pending.length > 0) throw new TssError('PROXY_PROTOCOL', 'the proxy sent more than its answer');
      return true;
    }
    if (this.#receivedBytes > MAX_HEAD_BYTES) {
      throw new TssError('PROXY_PROTOCOL', `the proxy’s answer is longer than ${MAX_HEAD_BYTES} bytes`);
    }
    const begin = this.#pending.toString('latin1', 0, VERSION.length);
    if (!VERSION.startsWith(begin)) throw notHttp();
    return false;
  }
}

function statusOf(head: Buffer): number {
  const [line = ''] = head.toString('latin1').split('\r\n', 1);
  const [, status] = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [^\r\n]*)?$/.exec(line) ?? [];
  if (status === undefined) throw notHttp();
  return Number(status);
}

function notHttp(): TssError {
  return new TssError('PROXY_PROTOCOL', 'what answers at the proxy’s address speaks no HTTP/1');
}

function refusal(status: number): TssError {
  const remedy = remedies[status] ?? 'look for the reason in the proxy’s log';
  return new TssError('PROXY_REFUSED', `the proxy refused with status ${status}: ${remedy}`);
}

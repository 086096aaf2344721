import { TssError } from './error.ts';

/** All that a proxy may say before the tunnel is open. */
const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = '\r\n\r\n';
const VERSION = 'HTTP/1.';

/** What the operator can do about an answer. The proxy's own words are not repeated: nobody vouches for them. */
const remedies: Readonly<Record<number, string>> = {
  401: 'give it Basic credentials that it accepts',
  403: 'allow the server and its port in the proxy',
  405: 'allow CONNECT in the proxy',
  407: 'give it Basic credentials that it accepts',
  502: 'the proxy does not reach the server: check its network and the server’s name',
  503: 'the proxy does not reach the server: check its network and the server’s name',
  504: 'the proxy does not reach the server: check its network and the server’s name',
};

/** What a proxy answers to CONNECT, piece by piece as it comes (RFC 9112 §4). */
export class ProxyAnswer {
  #pending = Buffer.alloc(0);
  #receivedBytes = 0;

  /** @returns whether the tunnel is open. @throws TssError PROXY_REFUSED, PROXY_PROTOCOL */
  take(chunk: Buffer): boolean {
    this.#receivedBytes += chunk.length;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = this.#pending.indexOf(HEAD_END);
      if (end < 0 || this.#receivedBytes - this.#pending.length + end + HEAD_END.length > MAX_HEAD_BYTES) break;
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

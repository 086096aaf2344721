import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { ConnectOptions, TlsStream } from '../api.ts';
import { connect } from '../connect.ts';
import { TssError } from '../error.ts';
import { CliError } from './failure.ts';
import { rounded } from './text.ts';

/** What is kept of a body for showing; the rest is only counted. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A whole reply; times in milliseconds since the beginning of the connection. */
export interface Reply {
  readonly stream: TlsStream;
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodyBytes: number;
  /** The first mebibyte of it. */
  readonly body: Buffer;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

export type GetOptions = Pick<ConnectOptions, 'ca' | 'identity' | 'minVersion' | 'proxy'> & {
  /** Deadline for all of it. */
  readonly timeoutMs: number;
};

/** One GET on a connection of its own. @throws TssError, CliError HTTP_PROTOCOL */
export async function get(url: URL, { timeoutMs, ...options }: GetOptions): Promise<Reply> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const from = performance.now();
  const since = (): number => rounded(performance.now() - from);
  const late = (cause: unknown): TssError =>
    new TssError('CONNECTION_TIMEOUT', `no whole reply within ${timeoutMs} ms`, { cause });
  let stream: TlsStream | undefined;
  try {
    stream = await connect({
      ...options,
      // URL keeps the brackets of IPv6 addresses.
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 443 : Number(url.port),
      alpn: ['http/1.1'],
      timeoutMs,
      signal: deadline,
    });
    const connectMs = since();
    const message = await send(url, stream, deadline);
    const firstByteMs = since();
    const { body, bodyBytes } = await read(message);
    const { statusCode: status = 0, statusMessage: statusText = '', headers } = message;
    return { stream, status, statusText, headers, bodyBytes, body, connectMs, firstByteMs, totalMs: since() };
  } catch (thrown) {
    if (deadline.aborted) throw late(thrown);
    throw thrown instanceof TssError ? thrown : httpError(thrown);
  } finally {
    stream?.destroy();
  }
}

async function send(url: URL, stream: TlsStream, signal: AbortSignal): Promise<IncomingMessage> {
  const outgoing = request(url, {
    // `https:` is ours already; node:http speaks over what it is given.
    protocol: 'http:',
    createConnection: () => stream,
    headers: { host: url.host, 'user-agent': 'node-tss', connection: 'close' },
    signal,
  });
  outgoing.end();
  const [message] = (await once(outgoing, 'response')) as [IncomingMessage];
  return message;
}

async function read(message: IncomingMessage): Promise<{ body: Buffer; bodyBytes: number }> {
  const kept: Buffer[] = [];
  let bodyBytes = 0;
  for await (const chunk of message) {
    const bytes = chunk as Buffer;
    const room = Math.max(0, MAX_BODY_BYTES - bodyBytes);
    if (room > 0) kept.push(bytes.subarray(0, room));
    bodyBytes += bytes.length;
  }
  return { body: Buffer.concat(kept), bodyBytes };
}

function httpError(thrown: unknown): unknown {
  const { code = '' } = thrown as NodeJS.ErrnoException;
  if (code.startsWith('HPE_')) return new CliError('HTTP_PROTOCOL', (thrown as Error).message, thrown);
  if (code === 'ECONNRESET') return new TssError('CONNECTION_FAILED', 'the server hung up before its reply was whole');
  return thrown;
}

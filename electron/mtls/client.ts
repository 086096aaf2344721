import type { Readable } from 'node:stream';
import type { buildConnector } from 'undici';
import { Pool } from 'undici';
import { PlayerError } from '../errors.ts';
import { transportFault } from './fault.ts';

const headersTimeoutMs = 15_000;
const bodyTimeoutMs = 60_000;
const keepAliveMs = 90_000;
const replyDeadlineMs = 60_000;
const maxHeaderBytes = 16_384;

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Absolute path on the client's one origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longest body accepted, bytes; 256 KiB where absent. */
  readonly maxBytes?: number;
}

export interface Reply {
  readonly status: number;
  header(name: string): string | undefined;
  text(): string;
  /** Text that says that it is JSON, for who must look at it before it is parsed. @throws PlayerError SERVER_REPLY_INVALID */
  jsonText(): string;
  /** @throws PlayerError SERVER_REPLY_INVALID unless it is UTF-8 JSON and says so */
  json(): unknown;
}

export interface OpenReply {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Readable;
}

/** HTTP to one origin and no other, over the transport it was made with. Redirects are never followed. */
export interface OriginClient {
  readonly origin: string;
  /** One whole reply. @throws PlayerError when there is none */
  call(call: Call): Promise<Reply>;
  /** A reply whose body streams. The caller reads or destroys the body. */
  open(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<OpenReply>;
  close(): Promise<void>;
  /** Let what is under way end, and then close. Nothing more may be asked for. */
  retire(): Promise<void>;
}

/** A client whose connections may be kept longer than what they were made with holds. */
export interface RenewableClient extends OriginClient {
  /** What is asked for from now on goes over new connections; what is under way ends on those that there are. */
  renew(): void;
}

/**
 * @param origin `https://host[:port]`
 * @param connect makes the TLS connection; asked for this origin's host alone
 */
export function createOriginClient(origin: string, connect: buildConnector.connector): RenewableClient {
  const allowed = new URL(origin);
  // No Agent: it forgets its connections as it is told to close, and could not end them after that.
  const createPool = () =>
    new Pool(allowed.origin, {
      connect: exactHost(allowed, connect),
      connections: 6,
      pipelining: 1,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: maxHeaderBytes,
    });
  let pool = createPool();
  /** Those with something under way. */
  const before = new Set<Pool>();
  const retire = async () => {
    const ending = pool;
    before.add(ending);
    await ending.close();
    before.delete(ending);
  };
  const request = async (call: Call, signal: AbortSignal) => {
    const url = new URL(call.path, origin);
    if (url.origin !== allowed.origin) throw new PlayerError('HOST_REFUSED', 'a path led away from the API origin');
    const { method, headers = {}, body } = call;
    return pool.request({
      path: url.pathname + url.search,
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    });
  };
  return {
    origin,
    async call(call) {
      try {
        const reply = await request(call, AbortSignal.timeout(replyDeadlineMs));
        const bytes = await readBounded(reply.body, call.maxBytes ?? 256 * 1024);
        return wholeReply(reply.statusCode, reply.headers, bytes);
      } catch (thrown) {
        throw transportFault(thrown);
      }
    },
    async open(path, headers, signal) {
      try {
        const reply = await request({ method: 'GET', path, headers }, signal);
        // undici's body reports its own destruction as an error: unheard, it would end the process.
        reply.body.on('error', () => undefined);
        return { status: reply.statusCode, header: headerReader(reply.headers), body: reply.body };
      } catch (thrown) {
        throw transportFault(thrown);
      }
    },
    close: async () => {
      await Promise.all([pool, ...before].map((one) => one.destroy()));
    },
    retire,
    renew: () => {
      // It does not end where the client is closed meanwhile.
      retire().catch(() => undefined);
      pool = createPool();
    },
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function exactHost(allowed: URL, connect: buildConnector.connector): buildConnector.connector {
  const port = allowed.port || (allowed.protocol === 'https:' ? '443' : '80');
  // A URL writes an IPv6 address in brackets; undici hands it over without.
  const hostname = allowed.hostname.replace(/^\[(.*)\]$/, '$1');
  return (options, callback) => {
    const wanted = options.port || (options.protocol === 'https:' ? '443' : '80');
    if (options.hostname !== hostname || wanted !== port || options.protocol !== allowed.protocol) {
      callback(new PlayerError('HOST_REFUSED', 'the connection is not for the origin it was made for'), null);
      return;
    }
    connect(options, callback);
  };
}

async function readBounded(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += (chunk as Buffer).length;
    if (total > maxBytes) {
      body.destroy();
      throw new PlayerError('SERVER_REPLY_TOO_LARGE', `the reply is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, total);
}

function wholeReply(status: number, headers: Headers, bytes: Buffer): Reply {
  const header = headerReader(headers);
  const text = () => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new PlayerError('SERVER_REPLY_INVALID', 'the reply is not UTF-8', cause);
    }
  };
  const jsonText = () => {
    if (!/^application\/json\s*(;|$)/i.test(header('content-type') ?? ''))
      throw new PlayerError('SERVER_REPLY_INVALID', 'the reply is not application/json');
    return text();
  };
  return {
    status,
    header,
    text,
    jsonText,
    json: () => {
      const content = jsonText();
      try {
        return JSON.parse(content);
      } catch (cause) {
        throw new PlayerError('SERVER_REPLY_INVALID', 'the reply is not JSON', cause);
      }
    },
  };
}

function headerReader(headers: Headers): (name: string) => string | undefined {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
}

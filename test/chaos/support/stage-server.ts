/** A management server that plays what a test gives it, correctly, until the test tells it how to misbehave. */
import { createHash, X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type LocalAuthority, openLocalAuthority } from '../../backend/local-authority.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Whether a client certificate came with it. */
  readonly certified: boolean;
}

interface Medium {
  readonly bytes: Buffer;
  readonly sha256: string;
}

const itemSeconds = 1;
/** As the protocol has it: a stream without a sign of life is given up after a minute. */
const heartbeatMs = 25_000;
const mostKept = 64;

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A picture of so many bytes: a PNG header, and a chunk of noise that no other seed makes. */
export function picture(seed: string, sizeBytes: number): Buffer {
  const head = Buffer.from(
    '89504e470d0a1a0a0000000d49484452000000400000004008020000000000000000000000004944415400',
    'hex',
  );
  const noise = Buffer.alloc(Math.max(64, sizeBytes - head.length));
  let block = createHash('sha256').update(seed).digest();
  for (let at = 0; at < noise.length; at += 4_096) {
    block = createHash('sha256').update(block).digest();
    for (let within = at; within < Math.min(at + 4_096, noise.length); within += block.length)
      block.copy(noise, within);
  }
  return Buffer.concat([head, noise]);
}

export class StageServer {
  readonly asked: Asked[] = [];
  readonly issuer: LocalAuthority;
  /** Takes the place of the right answer, by kind of request. */
  readonly faults: Partial<Record<'playlist' | 'events' | 'media', Handler>> = {};
  /** Answers the other calls of a screen and of one that is none yet; they are 404 without it. */
  others: Handler | null = null;
  /** Whether it asks nobody for a certificate. */
  admitsAnybody = false;
  /** Its clock, Unix milliseconds. */
  now: () => number = Date.now;
  /** Bytes of media that were sent. */
  mediaBytes = 0;
  partialReplies = 0;
  version = 0;
  /** Origin that media are said to come from; the server's own where absent. */
  #mediaOrigin = '';
  #document = '';
  #tag = '';
  #media = new Map<string, Medium>();
  #streams = new Set<ServerResponse>();
  #sockets = new Set<Socket>();
  #server: Server;
  #screenId = 'screen-1';
  readonly #authority: X509Certificate;

  private constructor(issuer: LocalAuthority, tls: { key: string; cert: string }) {
    this.issuer = issuer;
    this.#authority = new X509Certificate(issuer.caPem);
    const options = {
      ...tls,
      ca: issuer.caPem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3' as const,
    };
    this.#server = createServer(options, (request, response) => this.#answer(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  /**
   * @param authority folder with the authority that issued the player's certificate
   * @param tls another identity than the right one
   */
  static async start(authority: string, tls?: { key: string; cert: string }, port = 0): Promise<StageServer> {
    const issuer = openLocalAuthority(authority, new Date());
    const server = new StageServer(issuer, tls ?? issuer.issueServer(Date.now()));
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get document(): string {
    return this.#document;
  }

  /** Media come from here, such as the address of a proxy before this server. */
  set mediaOrigin(origin: string) {
    this.#mediaOrigin = origin;
  }

  /** A new version with so many new pictures, pushed to whoever listens. @returns digests in playing order */
  program(
    pictures: readonly Buffer[],
    more: { predicate?: string; media?: object; version?: number } = {},
  ): readonly string[] {
    return this.programs([{ pictures, predicate: more.predicate ?? 'TRUE' }], more);
  }

  /** The same, of several playlists with predicates of their own. Items are numbered through. */
  programs(
    playlists: readonly { readonly pictures: readonly Buffer[]; readonly predicate: string }[],
    more: { media?: object; version?: number } = {},
  ): readonly string[] {
    this.version = more.version ?? this.version + 1;
    const origin = this.#mediaOrigin || `https://localhost:${this.port}`;
    const digests: string[] = [];
    const entries = playlists.map(({ pictures, predicate }, number) => ({
      id: `p${number}`,
      title: 'p',
      predicate,
      priority: false,
      is_enabled: true,
      transitions: false,
      items: pictures.map((bytes) => {
        const sha256 = sha256Of(bytes);
        // The last ones stay available, as on a server that screens fetch from at their own pace.
        this.#media.set(sha256, { bytes, sha256 });
        const index = digests.push(sha256) - 1;
        return {
          id: `v${this.version}-${index}`,
          position: index,
          duration: itemSeconds,
          asset: {
            id: `a${this.version}-${index}`,
            type: 'image',
            title: 'a picture',
            asset_url: `${origin}/media/${sha256}`,
            sha256,
            size: bytes.length,
            ...more.media,
          },
        };
      }),
    }));
    for (const old of [...this.#media.keys()].slice(0, Math.max(0, this.#media.size - mostKept)))
      this.#media.delete(old);
    const config = { display_rotate: 0, shuffle_playlist: false, audio_output: 'hdmi', play_history_enabled: false };
    this.serve(
      JSON.stringify({
        now: new Date(this.now()).toISOString(),
        deadline: new Date(this.now() + 300_000).toISOString(),
        version: this.version,
        screen: { id: this.#screenId, name: 'Stage', hostname: 'stage', timezone: 'Europe/London', config },
        playlists: entries,
      }),
    );
    return digests;
  }

  /** Serve these exact bytes as the playlist document. */
  serve(document: string): void {
    this.#document = document;
    this.#tag = `"${createHash('sha256').update(document).digest('hex').slice(0, 32)}"`;
    this.push();
  }

  push(): void {
    this.send('playlist', '1');
  }

  /** An event for whoever listens. */
  send(event: string, data: string): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  /** Close the connections on which nothing is under way. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  get listening(): number {
    return this.#streams.size;
  }

  async close(): Promise<void> {
    // Not by a reset beneath TLS: Node's loop would turn for ever.
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** The right answer. */
  answerRightly(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    if (path === '/api/v2/screens/playlist') this.#playlist(request, response);
    else if (path === '/api/v2/screens/events') this.#events(response);
    else if (path.startsWith('/media/')) this.#medium(request, response, path.slice(7));
    else response.writeHead(404).end();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const shown = (request.socket as TLSSocket).getPeerX509Certificate();
    this.asked.push({ path, headers: request.headers, certified: shown !== undefined });
    response.on('error', () => undefined);
    response.setHeader('date', new Date(this.now()).toUTCString());
    const kind = path.startsWith('/media/') ? 'media' : path.endsWith('/events') ? 'events' : 'playlist';
    if (this.others !== null && kind === 'playlist' && path !== '/api/v2/screens/playlist')
      return void this.others(request, response);
    if (!this.admitsAnybody && !this.#admits(shown)) return void response.writeHead(401).end();
    const fault = this.faults[kind];
    if (fault === undefined) this.answerRightly(request, response);
    else fault(request, response);
  }

  /** By the date of this very moment: a certificate may end while its connection lives. */
  #admits(shown: X509Certificate | undefined): boolean {
    if (shown === undefined || !shown.verify(this.#authority.publicKey)) return false;
    return Date.parse(shown.validFrom) <= this.now() && this.now() <= Date.parse(shown.validTo);
  }

  #playlist(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('etag', this.#tag);
    if (request.headers['if-none-match'] === this.#tag) response.writeHead(304).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(this.#document);
  }

  #events(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
    this.#streams.add(response);
    const timer = setInterval(() => response.write(': heartbeat\n\n'), heartbeatMs);
    response.once('close', () => {
      clearInterval(timer);
      this.#streams.delete(response);
    });
  }

  #medium(request: IncomingMessage, response: ServerResponse, sha256: string): void {
    const medium = this.#media.get(sha256);
    if (medium === undefined) return void response.writeHead(404).end();
    const etag = `"${sha256}"`;
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const ifRange = request.headers['if-range'];
    const start = from !== undefined && (ifRange === undefined || ifRange === etag) ? Number(from) : 0;
    const { length } = medium.bytes;
    if (start >= length) return void response.writeHead(416, { 'content-range': `bytes */${length}` }).end();
    const body = medium.bytes.subarray(start);
    const headers = { etag, 'content-type': 'image/png', 'content-length': body.length };
    if (start > 0) {
      this.partialReplies++;
      response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${length - 1}/${length}` });
    } else response.writeHead(200, headers);
    this.#send(response, body);
  }

  /** In pieces that wait for the client, so that what is counted was about to be taken. */
  #send(response: ServerResponse, body: Buffer): void {
    let at = 0;
    const next = () => {
      while (at < body.length) {
        const piece = body.subarray(at, at + 65_536);
        at += piece.length;
        this.mediaBytes += piece.length;
        if (!response.write(piece)) return void response.once('drain', next);
      }
      response.end();
    };
    next();
  }
}

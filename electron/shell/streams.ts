import type { Log } from '../log.ts';
import type { RewritePorts, Rewritten, StreamReference } from '../sanitize/hls.ts';
import { StreamFault, type StreamReply, type StreamRequest } from './stream-reply.ts';

/** A live or recorded stream that an item shows. */
export interface StreamSource {
  readonly assetId: string;
  /** Of its first playlist. */
  readonly url: string;
  /** Request headers for exactly the origin of `url`. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Origins beyond its own that its first playlist may be redirected to. */
  readonly allowedOrigins: readonly string[];
}

export interface StreamPorts {
  /** The stream of this id in the present program; `null`: none. */
  source(id: string): StreamSource | null;
  /** One answer, redirects not followed. @throws StreamFault */
  request(request: StreamRequest, signal: AbortSignal): Promise<StreamReply>;
  rewrite(text: string, ports: RewritePorts): Rewritten;
  /** Whether this address may be asked at all; where its name leads is judged by the gate. */
  mayAsk(url: string): boolean;
  readonly log: Pick<Log, 'warn'>;
}

/** Answers what the page asks of `player://stream`. */
export interface Streams {
  answer(id: string, place: number, asked: AbortSignal): Promise<Response>;
  /**
   * The page waits for this stream no longer. Electron does not tell of a request of the page that is aborted before it
   * is answered, and each one left holds one of the six connections that Chromium opens to a server: a few streams that
   * hang would keep every other of the same server dark.
   */
  giveUp(id: string): void;
}

const mostRedirects = 5;
const mostStreams = 16;
/** Playlists, segments and keys of one stream that can be asked for; a live one has the latest. */
const mostPlaces = 40_000;
/** Of their addresses together. */
const mostAddressCharacters = 16 * 2 ** 20;
const longestAddress = 8_192;
const largestPlaylistBytes = 4 * 2 ** 20;
const largestSegmentBytes = 128 * 2 ** 20;
/** For a whole playlist. */
const playlistDeadlineMs = 8_000;
const headersDeadlineMs = 8_000;
const idleMs = 8_000;

/** What the page is answered when there is nothing: it knows these numbers as words (`renderer/media/stream.ts`). */
const statusOf: Readonly<Record<string, number>> = {
  'address-refused': 403,
  'address-refused-or-unreachable': 403,
  certificate: 403,
  redirect: 403,
  'http-status': 404,
  'too-large': 413,
  'not-a-stream': 415,
  encrypted: 451,
  timeout: 504,
};

interface Place extends StreamReference {
  readonly number: number;
}

/** The addresses of one stream by number; a number is never given to another address. */
interface Table {
  readonly source: StreamSource;
  readonly byNumber: Map<number, Place>;
  readonly byKey: Map<string, Place>;
  /** Of all addresses. */
  characters: number;
  next: number;
  /** Ends what has no answer yet. */
  unanswered: AbortController;
}

const common = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  // The page is of another host of the same scheme; no other page can ask.
  'access-control-allow-origin': 'player://app',
  'cross-origin-resource-policy': 'cross-origin',
} as const;

/**
 * Streams for a page that has no network: main asks for playlists, segments and keys, and the page gets playlists that
 * name numbers. It can ask for nothing but what a playlist of the stream has named.
 */
export function createStreams(ports: StreamPorts): Streams {
  /** Latest used last. */
  const tables = new Map<string, Table>();

  const tableOf = (id: string): Table | null => {
    const source = ports.source(id);
    if (source === null) return null;
    const known = tables.get(id);
    tables.delete(id);
    const first: Place = { number: 0, url: source.url, kind: 'playlist', range: null };
    const table = known ?? {
      source,
      byNumber: new Map([[0, first]]),
      byKey: new Map([[keyOf(first), first]]),
      characters: first.url.length,
      next: 1,
      unanswered: new AbortController(),
    };
    tables.set(id, table);
    const [oldest] = tables.keys();
    if (tables.size > mostStreams && oldest !== undefined) tables.delete(oldest);
    return table;
  };

  const playlist = async (id: string, table: Table, place: Place, asked: AbortSignal): Promise<Response> => {
    const signal = AbortSignal.any([asked, AbortSignal.timeout(playlistDeadlineMs)]);
    const { reply, url } = await follow(table.source, place, ports, signal);
    const pieces: Uint8Array[] = [];
    for await (const piece of bounded(reply, largestPlaylistBytes)) pieces.push(piece);
    if (signal.aborted) throw new StreamFault('timeout');
    const rewritten = ports.rewrite(Buffer.concat(pieces).toString('utf8'), {
      base: url,
      place: (reference) =>
        ports.mayAsk(reference.url) ? `player://stream/${id}/${numberOf(table, reference)}` : null,
    });
    if (!rewritten.ok) throw new StreamFault(rewritten.reason);
    return new Response(rewritten.text, { headers: { ...common, 'content-type': 'application/vnd.apple.mpegurl' } });
  };

  const bytes = async (table: Table, place: Place, asked: AbortSignal): Promise<Response> => {
    const most = place.range === null ? largestSegmentBytes : place.range[1] - place.range[0] + 1;
    if (most > largestSegmentBytes) throw new StreamFault('too-large');
    const headers = new AbortController();
    const late = setTimeout(() => headers.abort(), headersDeadlineMs);
    const signal = AbortSignal.any([asked, headers.signal]);
    const { reply } = await follow(table.source, place, ports, signal).finally(() => clearTimeout(late));
    // A server that does not know ranges sends all of the file: none of it is what was asked for.
    if (place.range !== null && reply.status !== 206) {
      reply.destroy();
      throw new StreamFault('http-status');
    }
    const body = webStream(reply, most, (thrown) => failed(table, thrown));
    return new Response(body, { headers: { ...common, 'content-type': 'application/octet-stream' } });
  };

  const failed = ({ source: { assetId } }: Table, thrown: unknown): string => {
    const reason = thrown instanceof StreamFault ? thrown.reason : 'failed';
    ports.log.warn('stream-failed', { assetId, reason });
    return reason;
  };

  return {
    async answer(id, number, asked) {
      const table = tableOf(id);
      const place = table?.byNumber.get(number);
      if (table === null || place === undefined) return refusal(404);
      const ended = new AbortController();
      const end = () => ended.abort();
      const { signal: givenUp } = table.unanswered;
      for (const one of [asked, givenUp]) one.addEventListener('abort', end);
      try {
        const { signal } = ended;
        return await (place.kind === 'playlist' ? playlist(id, table, place, signal) : bytes(table, place, signal));
      } catch (thrown) {
        // The page has given it up itself.
        return refusal(ended.signal.aborted ? 504 : (statusOf[failed(table, thrown)] ?? 502));
      } finally {
        givenUp.removeEventListener('abort', end);
      }
    },
    giveUp(id) {
      const table = tables.get(id);
      if (table === undefined) return;
      table.unanswered.abort();
      table.unanswered = new AbortController();
    },
  };
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: common });
}

const keyOf = ({ url, kind, range }: StreamReference) => `${kind} ${range?.join('-') ?? ''} ${url}`;

function numberOf(table: Table, reference: StreamReference): number {
  const key = keyOf(reference);
  const place = table.byKey.get(key) ?? { ...reference, number: table.next };
  if (place.number === table.next) {
    table.next += 1;
    table.characters += place.url.length;
  }
  // Latest named last: those of a live stream that are over go.
  table.byKey.delete(key);
  table.byKey.set(key, place);
  table.byNumber.set(place.number, place);
  for (const [oldest, { number, url }] of table.byKey) {
    if (table.byKey.size <= mostPlaces && table.characters <= mostAddressCharacters) break;
    if (number === 0) continue;
    table.byKey.delete(oldest);
    table.byNumber.delete(number);
    table.characters -= url.length;
  }
  return place.number;
}

/**
 * Asks, and follows redirects by the rules: the first playlist stays on its origin and those that the item allows, as
 * the top frame of a web page does; what a playlist names may be anywhere that may be asked. Headers of the asset go to
 * its origin alone.
 */
async function follow(source: StreamSource, place: Place, ports: StreamPorts, signal: AbortSignal) {
  const { origin } = new URL(source.url);
  let { url } = place;
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    if (!ports.mayAsk(url)) throw new StreamFault('address-refused');
    const own = new URL(url).origin === origin;
    if (place.number === 0 && !own && !source.allowedOrigins.includes(new URL(url).origin))
      throw new StreamFault('redirect');
    const range = place.range === null ? {} : { range: `bytes=${place.range.join('-')}` };
    const reply = await ports.request({ url, headers: { ...(own ? source.headers : {}), ...range } }, signal);
    if (reply.location === null) {
      if (reply.status === 200 || reply.status === 206) return { reply, url };
      reply.destroy();
      throw new StreamFault('http-status');
    }
    reply.destroy();
    if (!URL.canParse(reply.location, url)) throw new StreamFault('redirect');
    url = new URL(reply.location, url).href;
    if (url.length > longestAddress) throw new StreamFault('redirect');
  }
  throw new StreamFault('redirect');
}

/** The body up to so many bytes, each of its pieces in time. @throws StreamFault */
async function* bounded(reply: StreamReply, mostBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const pieces = reply.body[Symbol.asyncIterator]();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await inTime(pieces.next());
      if (done === true) return;
      total += value.length;
      if (total > mostBytes) throw new StreamFault('too-large');
      yield new Uint8Array(value);
    }
  } catch (thrown) {
    throw thrown instanceof StreamFault ? thrown : new StreamFault('unreachable', thrown);
  } finally {
    reply.destroy();
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new StreamFault('timeout')), idleMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function webStream(reply: StreamReply, mostBytes: number, failed: (thrown: unknown) => void) {
  const pieces = bounded(reply, mostBytes);
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await pieces.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (thrown) {
          failed(thrown);
          controller.error(thrown);
        }
      },
      cancel: () => reply.destroy(),
    },
    { highWaterMark: 1 },
  );
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Protocol } from 'electron';
import { parseByteRange } from './byte-range.ts';

/** The page's own files, the media store and what streams are made of, all under `player://`; nothing else exists. */
export interface SchemePorts {
  /** Folder with index.html, app.js, its style sheets, chunks/ and fonts/. */
  readonly pageDirectory: string;
  /** Headers of a file of the page; `null` for a kind of file that it does not have. */
  pageHeaders(name: string): Readonly<Record<string, string>> | null;
  /** The store's file for a digest with the headers of its kind; `null` unless the store has it. */
  media(hash: string): ServedMedia | null;
  /** A playlist, segment or key of a stream; `signal`: the page waits no longer. */
  stream(id: string, place: number, signal: AbortSignal): Promise<Response>;
}

const longestPieceBytes = 4 * 2 ** 20;

export interface ServedMedia {
  readonly sizeBytes: number;
  /** The bytes `first` … `last`, each checked before it is given out. @throws when one is not what it was */
  read(first: number, last: number): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  readonly headers: Readonly<Record<string, string>>;
}

const pageFile =
  /^\/(?:index\.html|app\.js|(?:app|script-[a-z]{2})\.css|chunks\/[A-Za-z0-9_-]{1,80}\.js|fonts\/[A-Za-z0-9_-]{1,80}\.woff2)$/;
const mediaPath = /^\/([0-9a-f]{64})$/;
const streamPath = /^\/([0-9a-f]{32})\/(\d{1,9})$/;

/** What `protocol.registerSchemesAsPrivileged` is told; `bypassCSP` is never set. */
export const playerScheme = {
  scheme: 'player',
  privileges: {
    standard: true,
    secure: true,
    supportFetchAPI: true,
    stream: true,
    codeCache: true,
    // Streams are read by script, from another host of the scheme than the page's: by CORS, which main answers.
    corsEnabled: true,
  },
} as const;

/** Serve `player://app/…`, `player://media/<sha256>` and `player://stream/<id>/<number>`. No path is ever made from a URL. */
export function servePlayerScheme(protocol: Protocol, ports: SchemePorts): void {
  // A file that is gone, because it was evicted meanwhile or never was, is simply not there.
  protocol.handle('player', (request) => answer(request, ports).catch(() => refusal(404)));
}

/** The reply to one request of the page. */
export async function answer(request: Request, ports: SchemePorts): Promise<Response> {
  const { host, pathname } = new URL(request.url);
  if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405);
  const headers = host === 'app' && pageFile.test(pathname) ? ports.pageHeaders(pathname) : null;
  if (headers !== null) {
    const bytes = await readFile(join(ports.pageDirectory, pathname));
    return new Response(new Uint8Array(bytes), { headers: { ...headers } });
  }
  const [, streamId, place] = (host === 'stream' ? streamPath.exec(pathname) : null) ?? [];
  if (streamId !== undefined && request.method === 'GET') return ports.stream(streamId, Number(place), request.signal);
  const hash = host === 'media' ? mediaPath.exec(pathname)?.[1] : undefined;
  const media = hash === undefined ? null : ports.media(hash);
  return media === null ? refusal(404) : await mediaAnswer(request, media);
}

async function mediaAnswer(request: Request, { sizeBytes, headers, read }: ServedMedia): Promise<Response> {
  const range = parseByteRange(request.headers.get('range'), sizeBytes);
  if (range === 'unsatisfiable')
    return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': `bytes */${sizeBytes}` } });
  const { start, end } = range === 'whole' ? { start: 0, end: sizeBytes - 1 } : range;
  const empty = request.method === 'HEAD' || end < start;
  // A picture goes over in one piece, which is quicker to the screen; anything large streams.
  const inOnePiece = range === 'whole' && sizeBytes <= longestPieceBytes;
  const body = empty ? null : inOnePiece ? await onePiece(read(start, end)) : webStream(read(start, end));
  return new Response(body, {
    status: range === 'whole' ? 200 : 206,
    headers: {
      ...headers,
      'Content-Length': String(end - start + 1),
      ...(range === 'whole' ? {} : { 'Content-Range': `bytes ${start}-${end}/${sizeBytes}` }),
    },
  });
}

async function onePiece(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const [only] = all;
  return all.length === 1 && only !== undefined ? only : new Uint8Array(Buffer.concat(all));
}

/** One chunk is read ahead of the page. */
function webStream(chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void>): ReadableStream {
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await chunks.return()),
    },
    { highWaterMark: 1 },
  );
}

/** The stream that an item's source stands for; empty where it is none. */
export function streamId(source: string | null | undefined): string {
  return /^player:\/\/stream\/([0-9a-f]{32})\//.exec(source ?? '')?.[1] ?? '';
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: { 'Content-Security-Policy': "default-src 'none'" } });
}

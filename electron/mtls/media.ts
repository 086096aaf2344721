import { Readable } from 'node:stream';
import { PlayerError } from '../errors.ts';
import type { OpenReply, OriginClient } from './client.ts';
import type { Rests } from './rests.ts';
import { retryAfterMs } from './retry-after.ts';

const mostRedirects = 5;
/** A media server that asks to be left alone for longer does not keep the playlist from being asked for. */
const longestPauseMs = 5 * 60_000;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface MediaRequest {
  readonly url: string;
  /** Sent to the URL's own origin and never past a redirect to another. */
  readonly headers: Readonly<Record<string, string>>;
  /** First byte wanted; 0 for all. */
  readonly offset: number;
  /** Entity tag that a part file was begun with (RFC 9110 If-Range). */
  readonly ifRange?: string;
}

export interface MediaReply {
  /** 200: the body is the whole file; 206: it begins at the offset asked for. */
  readonly status: 200 | 206;
  readonly body: Readable;
  /** Size of the whole file, where the server tells it. */
  readonly totalBytes: number | undefined;
  /** Strong entity tag, for a later resume. */
  readonly etag: string | undefined;
}

export interface MediaPorts {
  /** The mutual-TLS client: used for the API origin alone. */
  readonly api: OriginClient;
  /** Server-authenticated client for any other origin, without the device certificate. */
  foreign(origin: string): OriginClient;
  /** Plain http origins that the settings allow by name. */
  readonly allowHttpFor: readonly string[];
  /** What asked for a pause is not asked for before its end, whatever the next sync is begun for. */
  readonly rests: Rests;
}

/**
 * GET one media file. The device certificate goes to the API origin and nowhere
 * else, also not after a redirect; a redirect off https is refused unless the settings allow its target by name.
 * @throws PlayerError MEDIA_MISSING, HOST_REFUSED, SERVER_ERROR, connection codes
 */
export async function openMedia(ports: MediaPorts, request: MediaRequest, signal: AbortSignal): Promise<MediaReply> {
  const { url } = request;
  const leftMs = ports.rests.leftMs(url);
  if (leftMs > 0) throw new PlayerError('SERVER_ERROR', 'media: the server wants to be left alone', undefined, leftMs);
  try {
    const reply = await follow(ports, request, signal);
    ports.rests.answered(url);
    return reply;
  } catch (thrown) {
    const pauseMs = thrown instanceof PlayerError ? (thrown.retryAfterMs ?? 0) : 0;
    if (pauseMs > 0) ports.rests.refused(url, pauseMs);
    throw thrown;
  }
}

async function follow(ports: MediaPorts, request: MediaRequest, signal: AbortSignal): Promise<MediaReply> {
  let url = new URL(request.url);
  const { origin: firstOrigin } = url;
  let wentAbroad = false;
  for (let hop = 0; hop <= mostRedirects; hop++) {
    // A foreign host must not choose what the certificate is used for: its redirects never lead back to it.
    wentAbroad ||= url.origin !== ports.api.origin;
    const headers = headersFor(request, url.origin === firstOrigin);
    const reply = await openOnce(ports, url, wentAbroad, headers, signal);
    if (reply.status === 416 && request.offset > 0) {
      reply.body.destroy();
      const [, total] = /^bytes \*\/(\d{1,15})$/.exec(reply.header('content-range') ?? '') ?? [];
      if (Number(total) === request.offset) return nothingMore(request.offset);
      // The file has become shorter than what is here of it: all of it anew.
      const { ifRange: _, ...whole } = request;
      return follow(ports, { ...whole, offset: 0 }, signal);
    }
    if (!redirects.has(reply.status)) return mediaReply(reply, request.offset);
    reply.body.destroy();
    const target = reply.header('location') ?? '';
    if (!URL.canParse(target, url.href)) throw new PlayerError('SERVER_REPLY_INVALID', 'a redirect leads nowhere');
    url = new URL(target, url.href);
  }
  throw new PlayerError('SERVER_REPLY_INVALID', `more than ${mostRedirects} redirects`);
}

/** What is here is all of it (RFC 9110 §15.5.17). */
function nothingMore(totalBytes: number): MediaReply {
  return { status: 206, body: Readable.from([]), totalBytes, etag: undefined };
}

function openOnce(
  ports: MediaPorts,
  url: URL,
  abroad: boolean,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<OpenReply> {
  const plain = url.protocol === 'http:' && ports.allowHttpFor.includes(url.origin);
  if ((url.protocol !== 'https:' && !plain) || url.username !== '' || url.password !== '')
    throw new PlayerError('HOST_REFUSED', 'media are fetched over https only: network.allowHttpFor names exceptions');
  const client = abroad ? ports.foreign(url.origin) : ports.api;
  return client.open(url.pathname + url.search, headers, signal);
}

function headersFor(request: MediaRequest, sameOrigin: boolean): Record<string, string> {
  const range: Record<string, string> = {};
  if (request.offset > 0) {
    range['range'] = `bytes=${request.offset}-`;
    if (request.ifRange !== undefined) range['if-range'] = request.ifRange;
  }
  return { ...(sameOrigin ? request.headers : {}), 'accept-encoding': 'identity', ...range };
}

function mediaReply(reply: OpenReply, offset: number): MediaReply {
  const { status, body } = reply;
  const etag = reply.header('etag');
  const strong = etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
  if (reply.header('content-encoding') !== undefined && reply.header('content-encoding') !== 'identity') {
    body.destroy();
    throw new PlayerError('SERVER_REPLY_INVALID', 'the media came with a content encoding that was not asked for');
  }
  if (status === 200) return { status, body, etag: strong, totalBytes: byteCount(reply.header('content-length')) };
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(reply.header('content-range') ?? '') ?? [];
  if (status === 206 && Number(start) === offset) return { status, body, etag: strong, totalBytes: byteCount(total) };
  body.destroy();
  if (status >= 500 || status === 429) {
    const askedMs = retryAfterMs(reply.header, Date.now());
    const pauseMs = askedMs === undefined ? undefined : Math.min(askedMs, longestPauseMs);
    throw new PlayerError('SERVER_ERROR', `media: the server answered ${status}`, undefined, pauseMs);
  }
  throw new PlayerError('MEDIA_MISSING', `media: the server answered ${status}`);
}

function byteCount(text: string | undefined): number | undefined {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined;
}

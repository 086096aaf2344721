import { PlayerError } from '../errors.ts';
import type { OriginClient } from '../mtls/client.ts';
import type { Download } from './sync.ts';

/** Longest playlist document, bytes. */
const largestDocumentBytes = 16 * 2 ** 20;
/** Characters of an entity tag. */
const longestTag = 256;

/**
 * `GET /api/v2/screens/playlist` over mutual TLS.
 * @param retryAfter the pause that a reply asks for by its headers, milliseconds
 * @throws PlayerError when there is no usable answer
 */
export async function downloadPlaylist(
  client: OriginClient,
  knownTag: string | undefined,
  retryAfter: (header: (name: string) => string | undefined) => number | undefined = () => undefined,
): Promise<Download> {
  const reply = await client.call({
    method: 'GET',
    path: '/api/v2/screens/playlist',
    headers: { accept: 'application/json', ...(knownTag === undefined ? {} : { 'if-none-match': knownTag }) },
    maxBytes: largestDocumentBytes,
  });
  switch (reply.status) {
    case 200:
      // Not parsed here: JSON.parse takes hundreds of megabytes for what is nested deeply.
      return { type: 'document', text: reply.jsonText(), etag: shortTag(reply.header('etag')) };
    case 304:
      if (knownTag === undefined)
        throw new PlayerError('SERVER_REPLY_INVALID', 'playlist: 304 to a request without a tag');
      return { type: 'unchanged' };
    case 401:
    case 403:
      return { type: 'suspended' };
    case 410:
      return { type: 'removed' };
    default:
      throw new PlayerError(
        'SERVER_ERROR',
        `playlist: the server answered ${reply.status}`,
        undefined,
        retryAfter(reply.header),
      );
  }
}

/** A tag that is too long to be sent back counts as none: a piece of it would never match. */
function shortTag(tag: string | undefined): string | undefined {
  return tag !== undefined && tag.length <= longestTag ? tag : undefined;
}

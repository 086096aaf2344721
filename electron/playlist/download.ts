import { PlayerError } from '../errors.ts';
import type { OriginClient } from '../mtls/client.ts';
import type { Download } from './sync.ts';

/** Longest playlist document, bytes. */
const largestDocumentBytes = 16 * 2 ** 20;

/**
 * `GET /api/v2/screens/playlist` over mutual TLS.
 * @param retryAfter reads the header of that name, milliseconds
 * @throws PlayerError when there is no usable answer
 */
export async function downloadPlaylist(
  client: OriginClient,
  knownTag: string | undefined,
  retryAfter: (header: string | undefined) => number | undefined = () => undefined,
): Promise<Download> {
  const reply = await client.call({
    method: 'GET',
    path: '/api/v2/screens/playlist',
    headers: { accept: 'application/json', ...(knownTag === undefined ? {} : { 'if-none-match': knownTag }) },
    maxBytes: largestDocumentBytes,
  });
  switch (reply.status) {
    case 200:
      reply.json();
      return { type: 'document', text: reply.text(), etag: reply.header('etag')?.slice(0, 256) };
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
        retryAfter(reply.header('retry-after')),
      );
  }
}

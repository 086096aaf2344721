import { createHmac, randomBytes } from 'node:crypto';
import type { Playlist, StreamAsset } from '../playlist/playlist.ts';
import type { StreamSource } from '../shell/streams.ts';

/** Drawn at each start: from an id nobody can tell by trying which address it stands for. */
const secret = randomBytes(32);

/** By what the page knows a stream: another address or header is another stream. */
export function streamId({ id, url, headers, allowedOrigins }: StreamAsset): string {
  const text = JSON.stringify([id, url, headers, allowedOrigins]);
  return createHmac('sha256', secret).update(text).digest('hex').slice(0, 32);
}

/** The streams of a playlist, by that id. */
export function streamsOf(playlist: Playlist): ReadonlyMap<string, StreamSource> {
  const streams = new Map<string, StreamSource>();
  for (const { items } of playlist.playlists)
    for (const { asset } of items) {
      if (asset.kind !== 'stream') continue;
      const { url, headers, allowedOrigins } = asset;
      streams.set(streamId(asset), { assetId: asset.id, url, headers, allowedOrigins });
    }
  return streams;
}

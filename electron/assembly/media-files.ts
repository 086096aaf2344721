import type { CachedMedia } from '../cache/media.ts';
import type { MediaStore } from '../cache/store.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type MediaPorts, openMedia } from '../mtls/media.ts';
import type { MediaAsset, MediaHash, Playlist } from '../playlist/playlist.ts';

const parallelDownloads = 4;

/** Every file of a playlist, once. */
export function mediaOf(playlist: Playlist): MediaAsset[] {
  const assets = new Map<string, MediaAsset>();
  for (const entry of playlist.playlists)
    for (const { asset } of entry.items)
      if (asset.kind === 'image' || asset.kind === 'video')
        assets.set(asset.sha256 ?? `${asset.id} ${asset.url}`, asset);
  return [...assets.values()];
}

/** The digests of those that are stored. */
export function hashesOf(playlist: Playlist, find: (asset: MediaAsset) => CachedMedia | null): MediaHash[] {
  return mediaOf(playlist).flatMap((asset) => find(asset)?.hash ?? []);
}

/**
 * Have every file, a few at a time.
 * @throws PlayerError STORE_FULL when they cannot all fit the budget; CONNECTION_TIMEOUT when `signal` does; else the
 * first failure, after the others have ended
 */
export async function ensureAll(
  assets: readonly MediaAsset[],
  store: MediaStore,
  budgetBytes: number,
  ports: MediaPorts,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  const neededBytes = assets.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  if (neededBytes > budgetBytes)
    throw new PlayerError('STORE_FULL', `the playlist needs ${neededBytes} bytes, store.budgetBytes is ${budgetBytes}`);
  await store.discardParts(assets.map((asset) => ({ ...asset, assetId: asset.id })));
  const queue = assets.values();
  const failures: unknown[] = [];
  const work = async () => {
    for (const asset of queue) {
      try {
        await ensureOne(asset, store, ports, signal);
      } catch (thrown) {
        if (signal.aborted) throw aborted(signal);
        log.failure('media-failed', thrown, { assetId: asset.id });
        failures.push(thrown);
      }
    }
  };
  await Promise.all(Array.from({ length: parallelDownloads }, work));
  if (failures.length > 0) throw asPlayerError(failures[0]);
}

async function ensureOne(asset: MediaAsset, store: MediaStore, ports: MediaPorts, signal: AbortSignal): Promise<void> {
  const { url, headers } = asset;
  await store.ensure(
    { ...asset, assetId: asset.id },
    {
      fetch: async (offset) => {
        const reply = await openMedia(ports, { url, headers, offset }, signal);
        const { status, body: stream, totalBytes } = reply;
        return { status, stream, ...(totalBytes === undefined ? {} : { totalBytes }) };
      },
    },
  );
}

/** A time-out is a fault like another; the end of the session is none. */
function aborted(signal: AbortSignal): unknown {
  const { reason } = signal;
  if (!(reason instanceof Error) || reason.name !== 'TimeoutError') return reason;
  return new PlayerError('CONNECTION_TIMEOUT', 'the media did not come in time; what has come is kept', reason);
}

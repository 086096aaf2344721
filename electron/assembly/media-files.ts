import { setMaxListeners } from 'node:events';
import type { CachedMedia, WantedMedia } from '../cache/media.ts';
import { recordKey } from '../cache/stock.ts';
import type { MediaStore } from '../cache/store.ts';
import type { Turns } from '../cache/turns.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type MediaPorts, openMedia } from '../mtls/media.ts';
import { atPace } from '../mtls/pace.ts';
import type { MediaAsset, Playlist } from '../playlist/playlist.ts';

/**
 * Files that are being fetched or made durable. More than there are turns to download: a file that waits for the disk
 * does not hold a connection up. Shared evenly between origins, so that none of them takes all while it stands still.
 */
const atOnce = 64;
/** Origins that files are fetched from at once; each has turns of its own. */
const originsAtOnce = 16;

/** What the store must know of an asset to find its file. */
export function wantedOf({ id, url, sha256, md5, sizeBytes }: MediaAsset): WantedMedia {
  return { assetId: id, url, sha256, md5, sizeBytes };
}

const known = new WeakMap<Playlist, readonly MediaAsset[]>();

/** Every file of a playlist, once. */
export function mediaOf(playlist: Playlist): readonly MediaAsset[] {
  const found = known.get(playlist) ?? findMedia(playlist);
  known.set(playlist, found);
  return found;
}

function findMedia(playlist: Playlist): readonly MediaAsset[] {
  const assets = new Map<string, MediaAsset>();
  for (const entry of playlist.playlists)
    for (const { asset } of entry.items)
      if (asset.kind === 'image' || asset.kind === 'video' || asset.kind === 'audio')
        assets.set(asset.sha256 ?? recordKey(wantedOf(asset)), asset);
  return [...assets.values()];
}

export interface FetchingParts {
  readonly store: MediaStore;
  readonly budgetBytes: number;
  readonly ports: MediaPorts;
  readonly turns: Turns;
  readonly log: Log;
  /** A file has come. */
  stored(media: CachedMedia): void;
}

/**
 * Have every file, a few at a time.
 * @throws PlayerError STORE_FULL when they cannot all fit the budget; CONNECTION_TIMEOUT when `signal` does; else the
 * first failure, of those that ask for the shortest pause, after the others have ended
 */
export async function ensureAll(
  assets: readonly MediaAsset[],
  parts: FetchingParts,
  signal: AbortSignal,
): Promise<void> {
  const { store, budgetBytes, log } = parts;
  const neededBytes = assets.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  if (neededBytes > budgetBytes)
    throw new PlayerError('STORE_FULL', `the playlist needs ${neededBytes} bytes, store.budgetBytes is ${budgetBytes}`);
  const missing = assets.filter((asset) => store.find(wantedOf(asset)) === null);
  await store.discardParts(missing.map(wantedOf));
  // Every file that is under way listens to it, some more than once.
  setMaxListeners(4 * atOnce, signal);
  const failures: unknown[] = [];
  /** Those that stood still while others waited: the second time they need not give way. */
  const late = new Set<MediaAsset>();
  const work = async (queue: MediaAsset[]) => {
    for (let asset = queue.shift(); asset !== undefined; asset = queue.shift()) {
      const isLate = late.has(asset);
      try {
        if (signal.aborted) throw aborted(signal);
        parts.stored(await ensureOne(asset, parts, signal, isLate ? null : () => late.add(asset)));
      } catch (thrown) {
        if (signal.aborted) throw aborted(signal);
        if (!isLate && late.has(asset)) {
          log.info('media-gave-way', { assetId: asset.id });
          queue.push(asset);
          continue;
        }
        log.failure('media-failed', thrown, { assetId: asset.id });
        failures.push(thrown);
      }
    }
  };
  const origins = byOrigin(missing, parts.ports.api.origin);
  const ofEach = Math.floor(atOnce / Math.min(origins.length, originsAtOnce));
  const { rests } = parts.ports;
  const ofOrigin = (assets: readonly MediaAsset[]) => {
    // Last those that asked for a pause: some that always do must not keep the others away.
    const queue = [...assets].sort((a, b) => Number(rests.hasAsked(a.url)) - Number(rests.hasAsked(b.url)));
    return everyOne(Array.from({ length: Math.min(ofEach, assets.length) }, () => work(queue)));
  };
  const waiting = origins.values();
  const originByOrigin = async () => {
    for (const assets of waiting) await ofOrigin(assets);
  };
  await everyOne(Array.from({ length: Math.min(originsAtOnce, origins.length) }, originByOrigin));
  if (failures.length > 0) throw soonest(failures.map(asPlayerError));
}

/** The failure that is tried again first: who asked for a pause is not asked before, whenever the next sync begins. */
function soonest(failures: readonly PlayerError[]): PlayerError {
  return failures.reduce((one, other) => ((other.retryAfterMs ?? 0) < (one.retryAfterMs ?? 0) ? other : one));
}

/** The files of each origin, those of the server's own first. */
function byOrigin(assets: readonly MediaAsset[], first: string): readonly (readonly MediaAsset[])[] {
  const own: [string, MediaAsset[]] = [first, []];
  const origins = new Map([own]);
  for (const asset of assets) {
    const { origin } = new URL(asset.url);
    const known = origins.get(origin);
    if (known === undefined) origins.set(origin, [asset]);
    else known.push(asset);
  }
  return [...origins.values()].filter(({ length }) => length > 0);
}

/** Rejects as one of them does, once all have ended: nothing goes on behind the back of the next sync. */
async function everyOne(workers: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(workers)) if (end.status === 'rejected') throw end.reason;
}

async function ensureOne(
  asset: MediaAsset,
  { store, ports, turns }: FetchingParts,
  signal: AbortSignal,
  gaveWay: (() => void) | null,
): Promise<CachedMedia> {
  const { url, headers } = asset;
  const { origin } = new URL(url);
  return store.ensure(wantedOf(asset), {
    fetch: async (offset, validator) => {
      const giveBack = await turns.take({ origin, sizeBytes: asset.sizeBytes }, signal);
      try {
        const ifRange = validator === undefined ? {} : { ifRange: validator };
        const { status, body, totalBytes, etag } = await openMedia(ports, { url, headers, offset, ...ifRange }, signal);
        const others = gaveWay && {
          wait: () => turns.isWaitedFor(origin),
          giveWay: () => {
            gaveWay();
            body.destroy(new PlayerError('CONNECTION_TIMEOUT', 'media: stands still while others wait'));
          },
        };
        return {
          status,
          stream: atPace(body, () => performance.now(), others),
          ...(totalBytes === undefined ? {} : { totalBytes }),
          ...(etag === undefined ? {} : { validator: etag }),
          close: () => {
            body.destroy();
            giveBack();
          },
        };
      } catch (thrown) {
        giveBack();
        throw thrown;
      }
    },
  });
}

/** A time-out is a fault like another; the end of the session is none. */
function aborted(signal: AbortSignal): unknown {
  const { reason } = signal;
  if (!(reason instanceof Error) || reason.name !== 'TimeoutError') return reason;
  return new PlayerError('CONNECTION_TIMEOUT', 'the media did not come in time; what has come is kept', reason);
}

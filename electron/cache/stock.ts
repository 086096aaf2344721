import { createHash } from 'node:crypto';
import type { MediaHash } from '../playlist/playlist.ts';
import type { Files, Folders } from './folders.ts';
import { type Index, type IndexEntry, writeIndex } from './index-file.ts';
import type { CachedMedia, WantedMedia } from './media.ts';
import type { Claim } from './receive.ts';
import { assertRoom, excessBytes, readSpace } from './room.ts';

export interface StockLimits {
  /** Most bytes of media. */
  readonly budgetBytes: number;
  /** Bytes of the disk that stay free; where absent `reserveOf` decides. */
  readonly reserveBytes?: number;
}

/** The files that the store holds: found by the index, leased, evicted, and the index written. */
export interface Stock {
  readonly index: Index;
  readonly storedBytes: number;
  find(wanted: Pick<WantedMedia, 'assetId' | 'url' | 'sha256'>): CachedMedia | null;
  get(hash: MediaHash): CachedMedia | null;
  set(hash: MediaHash, entry: IndexEntry): void;
  /** Forget a file in the index; nothing on the disk is touched. */
  drop(hash: MediaHash): void;
  isLeased(hash: MediaHash): boolean;
  lease(hashes: Iterable<MediaHash>): () => void;
  /** Remove unleased files, those used longest ago first, until a budget holds. @throws the file system's own error */
  evict(budgetBytes?: number): Promise<readonly MediaHash[]>;
  claim(): Claim;
  /** Write the index; calls that wait for their turn share one write. @throws the file system's own error */
  save(): Promise<void>;
}

/** Name under which the digest of an asset without one is recorded: no part of it comes from the document as it is. */
export function recordKey({ assetId, url }: Pick<WantedMedia, 'assetId' | 'url'>): string {
  return createHash('sha256')
    .update(JSON.stringify([assetId, url]))
    .digest('hex');
}

export function createStock(
  index: Index,
  folders: Folders,
  files: Files,
  limits: StockLimits,
  now: () => number,
): Stock {
  const leases = new Map<MediaHash, number>();
  let storedBytes = [...index.media.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let promisedBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  let queued: Promise<void> | null = null;

  const get: Stock['get'] = (hash) => {
    const entry = index.media.get(hash);
    return entry === undefined ? null : { hash, format: entry.format, sizeBytes: entry.sizeBytes };
  };
  const drop: Stock['drop'] = (hash) => {
    storedBytes -= index.media.get(hash)?.sizeBytes ?? 0;
    index.media.delete(hash);
    for (const [key, recorded] of index.recorded) if (recorded === hash) index.recorded.delete(key);
  };
  const set: Stock['set'] = (hash, entry) => {
    storedBytes += entry.sizeBytes - (index.media.get(hash)?.sizeBytes ?? 0);
    index.media.set(hash, entry);
  };
  const save: Stock['save'] = () => {
    queued ??= writing
      .catch(() => undefined)
      .then(() => {
        queued = null;
        writing = writeIndex(folders.indexFile, index, files);
        return writing;
      });
    return queued;
  };
  /** @param excess bytes that have to go, the quarantine first */
  const free = async (excess: number): Promise<readonly MediaHash[]> => {
    let left = excess - (await folders.quarantineBytes());
    await folders.emptyQuarantine();
    const removed: MediaHash[] = [];
    const oldestFirst = [...index.media].sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs);
    for (const [hash, entry] of oldestFirst) {
      if (left <= 0) break;
      if (leases.has(hash) || !index.media.has(hash)) continue;
      // Out of the index first: whoever reads it meanwhile must not take it for lost.
      drop(hash);
      try {
        await files.rm(folders.media(hash), { force: true, recursive: true });
      } catch (thrown) {
        set(hash, entry);
        throw thrown;
      }
      removed.push(hash);
      left -= entry.sizeBytes;
    }
    if (removed.length > 0) await save();
    return removed;
  };
  const holding = () => ({ ...limits, reserveBytes: limits.reserveBytes, storedBytes, promisedBytes });

  return {
    index,
    get storedBytes() {
      return storedBytes;
    },
    find: (wanted) => {
      const hash = wanted.sha256 ?? index.recorded.get(recordKey(wanted));
      return hash === undefined ? null : get(hash);
    },
    get,
    set,
    drop,
    isLeased: (hash) => leases.has(hash),
    lease: (hashes) => {
      const leased = new Set(hashes);
      const nowMs = now();
      for (const hash of leased) {
        leases.set(hash, (leases.get(hash) ?? 0) + 1);
        const entry = index.media.get(hash);
        if (entry !== undefined) index.media.set(hash, { ...entry, lastUsedMs: nowMs });
      }
      return () => {
        for (const hash of leased) {
          const left = (leases.get(hash) ?? 1) - 1;
          if (left > 0) leases.set(hash, left);
          else leases.delete(hash);
        }
        leased.clear();
      };
    },
    evict: async (budgetBytes = limits.budgetBytes) => {
      const held = { ...holding(), budgetBytes, promisedBytes: 0 };
      const quarantined = await folders.quarantineBytes();
      const excess = excessBytes(quarantined, held, null);
      return excess > 0 ? free(excess) : [];
    },
    claim: () => {
      let mine = 0;
      const give = (bytes: number) => {
        mine -= bytes;
        promisedBytes -= bytes;
      };
      return {
        grow: async (bytes) => {
          const space = await readSpace(folders.directory, files);
          const excess = excessBytes(bytes, holding(), space);
          if (excess > 0) await free(excess);
          const left = excess > 0 ? await readSpace(folders.directory, files) : space;
          // No wait from here on: what another download is promised meanwhile would not be counted.
          assertRoom(bytes, holding(), left);
          mine += bytes;
          promisedBytes += bytes;
        },
        shrink: (bytes) => give(Math.min(bytes, mine)),
        end: () => give(mine),
      };
    },
    save,
  };
}

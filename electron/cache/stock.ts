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
  find(wanted: WantedMedia): CachedMedia | null;
  get(hash: MediaHash): CachedMedia | null;
  set(hash: MediaHash, entry: IndexEntry): void;
  /** Remember what an asset without a digest turned out to be. @param key from `recordKey` */
  record(key: string, hash: MediaHash): void;
  /** Forget a file in the index; nothing on the disk is touched. */
  drop(hash: MediaHash): void;
  /** Resolves at once, or when a removal that is under way has ended. MUST precede a new entry for a file on the disk. */
  isGone(hash: MediaHash): Promise<void>;
  isLeased(hash: MediaHash): boolean;
  lease(hashes: Iterable<MediaHash>): () => void;
  /**
   * Remove unleased files, those used longest ago first, until a budget holds. One that cannot be removed is passed over.
   * @throws the file system's own error, where too little went for it
   */
  evict(budgetBytes?: number): Promise<readonly MediaHash[]>;
  claim(): Claim;
  /** Write the index; calls that wait for their turn share one write. @throws the file system's own error */
  save(): Promise<void>;
}

/** What went to make room. */
interface Freed {
  readonly removed: readonly MediaHash[];
  /** Why a file could not be removed, where too little went. */
  readonly failure?: unknown;
}

const nothingFreed: Freed = { removed: [] };

/**
 * Name under which the digest of an asset without one is recorded: no part of it comes from the document as it is. What
 * else the playlist says of the content is in it, so that another file behind the same address is not taken for this.
 */
export function recordKey({ assetId, url, md5, sizeBytes }: WantedMedia): string {
  const content = md5 ?? sizeBytes;
  return createHash('sha256')
    .update(JSON.stringify(content === null ? [assetId, url] : [assetId, url, content]))
    .digest('hex');
}

/**
 * Addresses that are signed anew for every playlist leave a name each behind: those in use are newer than so many, twice
 * the items that a playlist may have.
 */
const leastRecorded = 20_000;

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
  const leaving = new Map<MediaHash, Promise<void>>();
  let makingRoom: Promise<unknown> = Promise.resolve();
  /** Room is made for one after the other: each counts on what the disk has left, and nobody else takes it meanwhile. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = makingRoom.then(work);
    makingRoom = done.catch(() => undefined);
    return done;
  };

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
  /** The newest last, also when it is only asked for. */
  const record: Stock['record'] = (key, hash) => {
    index.recorded.delete(key);
    index.recorded.set(key, hash);
    const most = Math.max(leastRecorded, 2 * index.media.size);
    for (const [oldest] of index.recorded) {
      if (index.recorded.size <= most) return;
      index.recorded.delete(oldest);
    }
  };
  const used = (hash: MediaHash, atMs: number) => {
    const entry = index.media.get(hash);
    if (entry !== undefined) index.media.set(hash, { ...entry, lastUsedMs: atMs });
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
  const remove = async (hash: MediaHash, entry: IndexEntry) => {
    const names = [...index.recorded].filter(([, recorded]) => recorded === hash);
    // Out of the index first: whoever reads it meanwhile must not take it for lost.
    drop(hash);
    try {
      await files.rm(folders.media(hash), { force: true, recursive: true });
    } catch (thrown) {
      set(hash, entry);
      for (const [key] of names) index.recorded.set(key, hash);
      throw thrown;
    }
  };
  /** @param excess bytes that have to go, the quarantine first */
  const free = async (excess: number): Promise<Freed> => {
    const emptied = await folders.emptyQuarantine();
    let left = excess - emptied.bytes;
    let { failure } = emptied;
    const removed: MediaHash[] = [];
    const oldestFirst = [...index.media].sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs);
    for (const [hash, entry] of oldestFirst) {
      if (left <= 0) break;
      if (leases.has(hash) || !index.media.has(hash)) continue;
      const removing = remove(hash, entry);
      leaving.set(
        hash,
        removing.catch(() => undefined),
      );
      try {
        await removing;
        removed.push(hash);
        left -= entry.sizeBytes;
      } catch (thrown) {
        failure ??= thrown;
      } finally {
        leaving.delete(hash);
      }
    }
    return left > 0 ? { removed, failure } : { removed };
  };
  const holding = () => ({ ...limits, reserveBytes: limits.reserveBytes, storedBytes, promisedBytes });

  return {
    index,
    get storedBytes() {
      return storedBytes;
    },
    find: (wanted) => {
      if (wanted.sha256 !== null) return get(wanted.sha256);
      const key = recordKey(wanted);
      const hash = index.recorded.get(key);
      if (hash === undefined) return null;
      record(key, hash);
      return get(hash);
    },
    record,
    isGone: async (hash) => leaving.get(hash),
    get,
    set,
    drop,
    isLeased: (hash) => leases.has(hash),
    lease: (hashes) => {
      const leased = new Set(hashes);
      const nowMs = now();
      for (const hash of leased) {
        leases.set(hash, (leases.get(hash) ?? 0) + 1);
        used(hash, nowMs);
      }
      return () => {
        const endMs = now();
        for (const hash of leased) {
          const left = (leases.get(hash) ?? 1) - 1;
          if (left > 0) leases.set(hash, left);
          else leases.delete(hash);
          used(hash, endMs);
        }
        leased.clear();
      };
    },
    evict: async (budgetBytes = limits.budgetBytes) => {
      const { removed, failure } = await inTurn(async () => {
        const held = { ...holding(), budgetBytes, promisedBytes: 0 };
        const quarantined = await folders.quarantineBytes();
        const excess = excessBytes(quarantined, held, null);
        return excess > 0 ? free(excess) : nothingFreed;
      });
      if (removed.length > 0) await save();
      if (failure !== undefined) throw failure;
      return removed;
    },
    claim: () => {
      let mine = 0;
      const give = (bytes: number) => {
        mine -= bytes;
        promisedBytes -= bytes;
      };
      return {
        grow: async (bytes) => {
          const { removed, refusal } = await inTurn(async () => {
            const space = await readSpace(folders.directory, files);
            const excess = excessBytes(bytes, holding(), space);
            const { removed, failure } = excess > 0 ? await free(excess) : nothingFreed;
            const left = excess > 0 ? await readSpace(folders.directory, files) : space;
            // No wait from here on: the promise is made of what was seen.
            try {
              assertRoom(bytes, holding(), left);
            } catch (thrown) {
              return { removed, refusal: failure ?? thrown };
            }
            mine += bytes;
            promisedBytes += bytes;
            return { removed };
          });
          if (removed.length > 0) await save();
          if (refusal !== undefined) throw refusal;
        },
        shrink: (bytes) => give(Math.min(bytes, mine)),
        end: () => give(mine),
      };
    },
    save,
  };
}

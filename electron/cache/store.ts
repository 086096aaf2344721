import { createHash } from 'node:crypto';
import type { MediaHash } from '../playlist/playlist.ts';
import { type CommitPorts, commit } from './commit.ts';
import { guardStore, isAbsent } from './failure.ts';
import { createFolders, type Files, realFiles } from './folders.ts';
import { writeIndex } from './index-file.ts';
import { type CachedMedia, type MediaOrigin, mediaHash, type WantedMedia } from './media.ts';
import { prove, type Recovery, recover } from './recover.ts';

export interface StoreOptions extends Pick<CommitPorts, 'recognize' | 'maxBytes'> {
  /** Absolute; the store's alone. */
  readonly directory: string;
  /** Unix milliseconds. */
  now(): number;
  /** The file system, unless a test stands in for a failing one. */
  readonly files?: Files;
}

/** The media on the disk, named by their content. All methods throw PlayerError. */
export interface MediaStore {
  /** What was found and put right when the store was opened. */
  readonly recovery: Recovery;
  /** The cached file of an asset, by its digest or by what was recorded for its id and address. */
  find(wanted: Pick<WantedMedia, 'assetId' | 'url' | 'sha256'>): CachedMedia | null;
  /** Path, format and size of a file, by the index alone. @param hash any text, also from an address */
  locate(hash: string): (CachedMedia & { readonly path: string }) | null;
  /** Have the file, from the disk or else from its origin. Calls for the same file share one download. */
  ensure(wanted: WantedMedia, origin: MediaOrigin): Promise<CachedMedia>;
  /** Hash a file again; one that is not what it was goes to quarantine and is to be fetched anew. */
  verify(hash: MediaHash): Promise<boolean>;
  /** Keep files from being evicted until the returned function is called. */
  lease(hashes: Iterable<MediaHash>): () => void;
  /**
   * Make the store fit a budget: quarantine first, then what was used longest
   * ago. Leased files MUST stay, also above the budget.
   * @returns what was removed
   */
  evict(budgetBytes: number): Promise<readonly MediaHash[]>;
  /** Remove the beginnings of files that nobody fetches or wants any more. */
  discardParts(keep: readonly Pick<WantedMedia, 'assetId' | 'url' | 'sha256'>[]): Promise<void>;
  /** Bytes of all media files. */
  readonly sizeBytes: number;
  /** Remove everything, for a screen that was removed from its server. */
  clear(): Promise<void>;
}

/** Open the store of a directory, putting right what a crash left behind. @throws PlayerError STORE_FAILED, STORE_FULL */
export async function openStore(options: StoreOptions): Promise<MediaStore> {
  const files = options.files ?? realFiles;
  const folders = createFolders(options.directory, files);
  const ports: CommitPorts = { recognize: options.recognize, maxBytes: options.maxBytes, folders, files };
  const recovery = await guardStore('opening the store', async () => {
    await folders.prepare();
    return recover(ports, options.now());
  });
  const { index } = recovery;
  const leases = new Map<MediaHash, number>();
  const fetching = new Map<string, Promise<CachedMedia>>();
  let saving: Promise<void> = Promise.resolve();

  /** One write after the other; each writes what is known when its turn comes. */
  const save = (): Promise<void> => {
    saving = saving.catch(() => undefined).then(() => writeIndex(folders.indexFile, index, files));
    return saving;
  };
  const cached = (hash: MediaHash): CachedMedia | null => {
    const entry = index.media.get(hash);
    return entry === undefined ? null : { hash, format: entry.format, sizeBytes: entry.sizeBytes };
  };
  const find: MediaStore['find'] = (wanted) => {
    const hash = wanted.sha256 ?? index.recorded.get(recordKey(wanted));
    return hash === undefined ? null : cached(hash);
  };
  const total = () => [...index.media.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const remove = async (hash: MediaHash) => {
    await files.rm(folders.media(hash), { force: true });
    index.media.delete(hash);
    for (const [key, recorded] of index.recorded) if (recorded === hash) index.recorded.delete(key);
  };
  const download = async (key: string, wanted: WantedMedia, origin: MediaOrigin) => {
    const media = await commit(key, wanted, origin, ports);
    index.media.set(media.hash, { format: media.format, sizeBytes: media.sizeBytes, lastUsedMs: options.now() });
    if (wanted.sha256 === null) index.recorded.set(key, media.hash);
    await guardStore('writing the index', save);
    return media;
  };
  if (recovery.indexWas !== 'whole' || recovery.adopted.length + recovery.lost.length > 0)
    await guardStore('writing the index', save);

  return {
    recovery,
    find,
    locate: (text) => {
      const hash = mediaHash(text);
      const media = hash === null ? null : cached(hash);
      return media === null ? null : { ...media, path: folders.media(media.hash) };
    },
    ensure: (wanted, origin) => {
      const here = find(wanted);
      if (here !== null) return Promise.resolve(here);
      const key = wanted.sha256 ?? recordKey(wanted);
      const running = fetching.get(key) ?? download(key, wanted, origin).finally(() => fetching.delete(key));
      fetching.set(key, running);
      return running;
    },
    verify: (hash) =>
      guardStore('verifying media', async () => {
        if (!index.media.has(hash)) return false;
        if ((await prove(hash, ports)).ok) return true;
        await folders.quarantine(folders.media(hash), hash).catch((thrown) => {
          if (!isAbsent(thrown)) throw thrown;
        });
        await remove(hash);
        await save();
        return false;
      }),
    lease: (hashes) => {
      const leased = new Set(hashes);
      const nowMs = options.now();
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
    discardParts: (keep) =>
      guardStore('clearing part files', async () => {
        const wanted = new Set([...fetching.keys(), ...keep.map((media) => media.sha256 ?? recordKey(media))]);
        for (const part of await folders.parts())
          if (!wanted.has(part)) await files.rm(folders.part(part), { force: true });
      }),
    evict: (budgetBytes) =>
      guardStore('making room', async () => {
        await folders.emptyQuarantine();
        let excessBytes = total() - budgetBytes;
        if (excessBytes <= 0) return [];
        const removed: MediaHash[] = [];
        const oldestFirst = [...index.media].sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs);
        for (const [hash, { sizeBytes }] of oldestFirst) {
          if (excessBytes <= 0) break;
          if (leases.has(hash)) continue;
          await remove(hash);
          removed.push(hash);
          excessBytes -= sizeBytes;
        }
        await save();
        return removed;
      }),
    get sizeBytes() {
      return total();
    },
    clear: () =>
      guardStore('clearing the store', async () => {
        for (const hash of await folders.mediaFiles()) await files.rm(folders.media(hash), { force: true });
        for (const part of await folders.parts()) await files.rm(folders.part(part), { force: true });
        await folders.emptyQuarantine();
        index.media.clear();
        index.recorded.clear();
        await save();
      }),
  };
}

/** Name under which the digest of an asset without one is recorded: no part of it comes from the document as it is. */
function recordKey({ assetId, url }: Pick<WantedMedia, 'assetId' | 'url'>): string {
  return createHash('sha256')
    .update(JSON.stringify([assetId, url]))
    .digest('hex');
}

import { PlayerError } from '../errors.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import { type CommitPorts, commit } from './commit.ts';
import { createDoubt, type Damage, type Reconciliation } from './doubt.ts';
import { guardStore, refineFull, storeFailure } from './failure.ts';
import { createFolders, type Files, realFiles } from './folders.ts';
import { emptyIndex, readIndex } from './index-file.ts';
import { type CachedMedia, type MediaOrigin, mediaHash, type WantedMedia } from './media.ts';
import { removePart } from './receive.ts';
import { createRefusals } from './refusals.ts';
import { DamagedFile, readChecked } from './serve.ts';
import { createSettle, type Settle } from './settle.ts';
import { createSpoiling } from './spoiling.ts';
import { createStock, recordKey, type StockLimits } from './stock.ts';

export interface StoreOptions extends StockLimits, Pick<CommitPorts, 'recognize' | 'maxBytes'> {
  /** Absolute; the store's alone. */
  readonly directory: string;
  /** Unix milliseconds. */
  now(): number;
  /** A stored file was found to be gone, changed or unreadable: it is no longer found, and should be fetched anew. */
  damaged(hash: MediaHash, how: Damage): void;
  /** The store could not be written while nobody waited for it. */
  failed(thrown: unknown): void;
  /** The file system, unless a test stands in for a failing one. */
  readonly files?: Files;
}

/** The media on the disk, named by their content. All methods throw PlayerError. */
export interface MediaStore {
  /** Whether the index could be used as it was; if not, files count once `ensure`, `adopt` or `reconcile` proved them. */
  readonly indexWas: 'whole' | 'absent' | 'damaged';
  /** The cached file of an asset, by its digest or by what was recorded for its id, address, and MD5 or else size. */
  find(wanted: WantedMedia): CachedMedia | null;
  /** Format and size of a file, by the index alone. @param hash any text, also from an address */
  locate(hash: string): CachedMedia | null;
  /**
   * Bytes `first` … `last` of a file, every chunk compared with its digest before a byte of it is given out. A chunk
   * that differs ends the reading with an error, and the file is quarantined.
   */
  read(hash: MediaHash, first: number, last: number): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  /** Have the file, from the disk or else from its origin. Calls for the same file share one download. */
  ensure(wanted: WantedMedia, origin: MediaOrigin): Promise<CachedMedia>;
  /**
   * Read a file again; one that is not what it was goes to quarantine and is to be fetched anew.
   * @param pace awaited before so many bytes are read
   */
  verify(hash: MediaHash, pace?: (bytes: number) => Promise<void>): Promise<boolean>;
  /** Take a file that is on the disk and not in the index, once its digest and kind are proven. */
  adopt(hash: MediaHash): Promise<boolean>;
  /** Bring index and disk into agreement. Costs a look at every file, so it is not done before the first picture. */
  reconcile(signal: AbortSignal): Promise<Reconciliation>;
  /** Every file: leased ones first, then those verified longest ago. */
  oldestVerified(): readonly MediaHash[];
  isLeased(hash: MediaHash): boolean;
  /** Keep files from being evicted until the returned function is called. */
  lease(hashes: Iterable<MediaHash>): () => void;
  /**
   * Make the store fit its budget, or another: quarantine first, then what was used longest
   * ago. Leased files MUST stay, also above the budget.
   * @returns what was removed
   */
  evict(budgetBytes?: number): Promise<readonly MediaHash[]>;
  /** Remove the beginnings of files that nobody fetches or wants any more. */
  discardParts(keep: readonly WantedMedia[]): Promise<void>;
  /** Whether the disk can be written, at the price of a file that never reaches it. @throws when it cannot */
  probe(): Promise<void>;
  /** Write what the index learnt since it was written. */
  flush(): Promise<void>;
  /** The same, where a file came that the index on the disk does not have. MUST precede whatever relies on the file. */
  record(): Promise<void>;
  /** Bytes of all media files. */
  readonly sizeBytes: number;
  /** Bytes that downloads have brought since the store was opened, as files or as beginnings that a resume goes on with. */
  readonly keptBytes: number;
  /** Remove everything, for a screen that was removed from its server. */
  clear(): Promise<void>;
}

/** How often the index is written while files come one after the other. */
const recordEveryMs = 2_000;

/**
 * Open the store of a directory. Only the index is read: what it says is proven when a file is read, verified or
 * reconciled. A disk that cannot be written is reported and leaves a store that can be read.
 * @throws PlayerError STORE_FAILED when it cannot be read
 */
export async function openStore(options: StoreOptions): Promise<MediaStore> {
  const files = options.files ?? realFiles;
  const folders = createFolders(options.directory, files);
  await folders.prepare().catch((thrown: unknown) => options.failed(storeFailure(thrown, 'opening the store')));
  const read = await guardStore('reading the index', () => readIndex(folders.indexFile, files));
  const indexWas = typeof read === 'string' ? read : 'whole';
  if (read === 'damaged')
    await folders.quarantine(folders.indexFile, `index-${options.now()}.json`).catch(() => undefined);
  const index = typeof read === 'string' ? emptyIndex() : read;
  const stock = createStock(index, folders, files, options, options.now);
  const { recognize, maxBytes, damaged, failed, now } = options;
  const giveName = createSettle(folders, files);
  const settle: Settle = async (file) => {
    await stock.isGone(file.hash);
    await doubt.settled(file.hash);
    await giveName(file);
  };
  let keptBytes = 0;
  const kept = (bytes: number) => {
    keptBytes += bytes;
  };
  const ports: CommitPorts = { recognize, maxBytes, folders, files, settle, claim: stock.claim, kept };
  const spoiling = createSpoiling(now);
  const refusals = createRefusals(now);
  const doubt = createDoubt({ ...ports, stock, spoiled: spoiling.add, damaged, adopted: () => adopted(), failed, now });
  const fetching = new Map<string, Promise<CachedMedia>>();
  /** Files that have come, and whoever wanted them does not know yet: no other download makes its room of them. */
  const arrived = new Map<string, () => void>();
  /** The index on the disk does not have every file that has its name. */
  let unrecorded = indexWas !== 'whole';
  let recording = Promise.resolve();
  let recordedAtMs = 0;

  /** Calls whose failure for want of room says whether bytes or inodes are missing. */
  const guard = async <T>(doing: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await guardStore(doing, call);
    } catch (thrown) {
      throw await refineFull(thrown, options.directory);
    }
  };
  const obtain = async (key: string, wanted: WantedMedia, origin: MediaOrigin): Promise<CachedMedia> => {
    // After a crash between name and index, or with a damaged index, the file is here and only has to be proven.
    const adopted =
      wanted.sha256 !== null && (await doubt.adopt(wanted.sha256)) === 'whole' ? stock.get(wanted.sha256) : null;
    if (adopted !== null) {
      arrived.set(key, stock.lease([adopted.hash]));
      return adopted;
    }
    const { times, pauseMs } = spoiling.of(key);
    if (pauseMs > 0)
      throw new PlayerError(
        'STORE_FAILED',
        `the disk has spoiled this file ${times} times: it is fetched again in ${Math.ceil(pauseMs / 60_000)} min`,
      );
    let release = () => {};
    const settleHeld: Settle = (file) => {
      // Not evicted from here on, also where another copy of it has its name already.
      release();
      release = stock.lease([file.hash]);
      return settle(file);
    };
    // What another address sends is another matter.
    const bring = (from: MediaOrigin) => commit(key, wanted, from, { ...ports, settle: settleHeld });
    const came = refusals.heed(`${key} ${wanted.url}`, origin, bring);
    came.catch(() => release());
    const { hash, format, sizeBytes, chunks } = await came;
    arrived.set(key, release);
    kept(sizeBytes);
    stock.set(hash, { format, sizeBytes, chunks, lastUsedMs: now(), verifiedMs: now() });
    if (wanted.sha256 === null) stock.record(key, hash);
    unrecorded = true;
    return { hash, format, sizeBytes };
  };
  const settleRead = async (hash: MediaHash, { how, chunk, cause }: DamagedFile) => {
    if ((await doubt.settle(hash, how, chunk)) && how === 'unreadable') failed(storeFailure(cause, 'reading media'));
  };
  const write = async () => {
    recordedAtMs = now();
    try {
      await stock.save();
    } catch (thrown) {
      unrecorded = true;
      throw thrown;
    }
  };
  /** Also waits for what another call is writing. */
  const record = () => {
    if (unrecorded) recording = write();
    unrecorded = false;
    return guard('writing the index', () => recording);
  };
  const isDue = () => Math.abs(now() - recordedAtMs) >= recordEveryMs;
  /** The last of several that are under way writes the index for all; a crash before costs a look at the others. */
  const ended = async (key: string) => {
    fetching.delete(key);
    const release = arrived.get(key);
    arrived.delete(key);
    try {
      if (fetching.size === 0 || isDue()) await record();
    } finally {
      // Once those who waited for it have had their turn.
      if (release !== undefined) setImmediate(release);
    }
  };
  /** A disk that cannot be written does not keep a file from the screen. */
  const adopted = async () => {
    unrecorded = true;
    if (isDue()) await record().catch(failed);
  };

  return {
    indexWas,
    find: stock.find,
    locate: (text) => {
      const hash = mediaHash(text);
      return hash === null ? null : stock.get(hash);
    },
    read: async function* (hash, first, last) {
      const entry = index.media.get(hash);
      if (entry === undefined) throw new DamagedFile('absent');
      try {
        yield* readChecked(hash, entry, { first, last }, folders, files);
      } catch (thrown) {
        if (thrown instanceof DamagedFile) void guard('judging media', () => settleRead(hash, thrown)).catch(failed);
        else failed(thrown);
        throw thrown;
      }
    },
    ensure: (wanted, origin) => {
      const here = stock.find(wanted);
      if (here !== null) return Promise.resolve(here);
      const key = wanted.sha256 ?? recordKey(wanted);
      const begin = () => guard('storing media', () => obtain(key, wanted, origin));
      const running = fetching.get(key) ?? begin().finally(() => ended(key));
      fetching.set(key, running);
      return running;
    },
    verify: (hash, pace = async () => {}) => guard('verifying media', () => doubt.verify(hash, pace)),
    adopt: (hash) => guard('reading media', async () => (await doubt.adopt(hash)) === 'whole'),
    reconcile: async (signal) => {
      const found = await guard('looking through the store', () => doubt.reconcile(signal));
      const failure = await record().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      return { ...found, failure: found.failure ?? failure };
    },
    oldestVerified: () => {
      const rank = (hash: MediaHash) => (stock.isLeased(hash) ? 0 : 1);
      return [...index.media]
        .sort(([a, one], [b, other]) => rank(a) - rank(b) || one.verifiedMs - other.verifiedMs)
        .map(([hash]) => hash);
    },
    isLeased: stock.isLeased,
    lease: stock.lease,
    discardParts: (keep) =>
      guard('clearing part files', async () => {
        const wanted = new Set([...fetching.keys(), ...keep.map((media) => media.sha256 ?? recordKey(media))]);
        for (const name of await folders.partLeftovers()) {
          const [key = ''] = name.split('.');
          if (mediaHash(key) === null || wanted.has(key)) continue;
          // One that cannot be removed is in nobody's way.
          await removePart(folders.part(key), files).catch(() => undefined);
        }
      }),
    evict: (budgetBytes) => guard('making room', () => stock.evict(budgetBytes)),
    probe: () => guard('trying the disk', folders.probe),
    flush: () => guard('writing the index', stock.save),
    record,
    get sizeBytes() {
      return stock.storedBytes;
    },
    get keptBytes() {
      return keptBytes;
    },
    clear: () =>
      guard('clearing the store', async () => {
        // Out of the index first: whoever reads a file meanwhile must not take it for lost.
        for (const hash of [...index.media.keys()]) stock.drop(hash);
        index.recorded.clear();
        let failure: unknown;
        const remove = (path: string) =>
          files.rm(path, { force: true, recursive: true }).catch((thrown: unknown) => {
            failure ??= thrown;
          });
        for (const hash of await folders.mediaFiles()) await remove(folders.media(hash));
        for (const name of await folders.partLeftovers()) await remove(folders.part(name));
        failure ??= (await folders.emptyQuarantine()).failure;
        await stock.save();
        if (failure !== undefined) throw failure;
      }),
  };
}

import type { MediaHash } from '../playlist/playlist.ts';
import { isAbsent, isOfTheFile, storeFailure } from './failure.ts';
import { compare, compareChunk, type Proof, type ProofPorts, prove } from './recover.ts';
import type { Stock } from './stock.ts';

/** Why a stored file is no longer one: gone, changed, or the disk fails at it. */
export type Damage = Exclude<Proof['is'], 'whole'>;

/** What was found and put right after the start. */
export interface Reconciliation {
  /** Files that were in no index and are now, their digest and kind proven. */
  readonly adopted: readonly MediaHash[];
  /** Files that are not what they are called. */
  readonly quarantined: readonly MediaHash[];
  /** In the index, but not on the disk, of another length, or not to be read. */
  readonly lost: readonly MediaHash[];
  /** The first error that says nothing of the file it came with: another look is due. `null`: every file was looked at. */
  readonly failure: unknown | null;
}

export interface DoubtPorts extends ProofPorts {
  readonly stock: Stock;
  /** A stored file is no longer one; it was wanted by these keys, its digest among them. */
  spoiled(keys: readonly string[]): void;
  /** The same, for the program; called before anything is written. */
  damaged(hash: MediaHash, how: Damage): void;
  /** A file was taken into the index, which has to be written. */
  adopted(): Promise<void>;
  /** A file could not be put away: what becomes of it then is said where it is wanted. */
  failed(thrown: unknown): void;
  now(): number;
}

/** Decides about files that may not be what the index says. All methods throw the file system's own errors. */
export interface Doubt {
  /** Compare all of a stored file with its digests; what is damaged goes to quarantine. */
  verify(hash: MediaHash, pace: (bytes: number) => Promise<void>): Promise<boolean>;
  /**
   * A chunk was not what it should be: the file is read whole, and it or its entry in the index goes. One that could not
   * be read is read once more, and the file goes where that fails, too.
   */
  settle(hash: MediaHash, how: Damage, chunk: number): Promise<boolean>;
  /** Resolves once what is being found about this file is done: a fresh one would go to quarantine with the old one. */
  settled(hash: MediaHash): Promise<void>;
  /** Take a file on the disk that the index does not know, once it is proven. */
  adopt(hash: MediaHash): Promise<Damage | 'whole'>;
  /** Bring index and disk into agreement, whatever a crash or a hand has left; one bad file does not end it. */
  reconcile(signal: AbortSignal): Promise<Reconciliation>;
}

export function createDoubt(ports: DoubtPorts): Doubt {
  const { stock, folders, files } = ports;
  const entering = new Map<MediaHash, Promise<Damage | 'whole'>>();
  const settling = new Map<MediaHash, Promise<boolean>>();
  /** Known files at which the disk failed as it was last looked through: a moment of it costs none of them. */
  const unlooked = new Set<MediaHash>();

  // What cannot be put away is in no index either, and the fresh file takes its name.
  const quarantine = (hash: MediaHash) =>
    folders.quarantine(folders.media(hash), hash).catch((thrown) => {
      if (!isAbsent(thrown)) ports.failed(storeFailure(thrown, 'quarantining media'));
    });
  /** By its name, whatever was found of what had that name before: a fresh file may have come meanwhile. */
  const judge = async (hash: MediaHash, how: Damage, chunk: number) => {
    const known = stock.index.media.get(hash);
    if (known === undefined) return false;
    const { is } = how === 'unreadable' ? await compareChunk(hash, known, chunk, ports) : { is: how };
    if (is === 'whole') return true;
    const proof = is === 'unreadable' ? { is } : await prove(hash, ports);
    const entry = stock.index.media.get(hash);
    if (entry === undefined) return false;
    if (proof.is === 'whole') {
      // The file is what it is called: its chunks' digests were not.
      const { format, sizeBytes, chunks } = proof;
      stock.set(hash, { ...entry, format, sizeBytes, chunks });
    } else {
      const recorded = [...stock.index.recorded].flatMap(([key, of]) => (of === hash ? [key] : []));
      stock.drop(hash);
      ports.spoiled([hash, ...recorded]);
      ports.damaged(hash, proof.is);
      await quarantine(hash);
    }
    await stock.save();
    return proof.is === 'whole';
  };
  const settle: Doubt['settle'] = (hash, how, chunk) => {
    const running = settling.get(hash) ?? judge(hash, how, chunk).finally(() => settling.delete(hash));
    settling.set(hash, running);
    return running;
  };
  const judged = async (hash: MediaHash) => {
    await settling.get(hash)?.catch(() => undefined);
  };
  const settled: Doubt['settled'] = async (hash) => {
    await judged(hash);
    await entering.get(hash)?.catch(() => undefined);
  };
  const take = async (hash: MediaHash): Promise<Damage | 'whole'> => {
    await stock.isGone(hash);
    await judged(hash);
    const proof = await prove(hash, ports);
    if (proof.is === 'whole') {
      const { format, sizeBytes, chunks } = proof;
      const nowMs = ports.now();
      if (!stock.index.media.has(hash)) {
        stock.set(hash, { format, sizeBytes, chunks, lastUsedMs: nowMs, verifiedMs: nowMs });
        await ports.adopted();
      }
    } else if (proof.is !== 'absent') await quarantine(hash);
    return proof.is;
  };
  const adopt: Doubt['adopt'] = (hash) => {
    const running = entering.get(hash) ?? take(hash).finally(() => entering.delete(hash));
    entering.set(hash, running);
    return running;
  };
  const sizeOf = (hash: MediaHash) =>
    files.stat(folders.media(hash)).then(
      ({ size }) => size,
      (thrown) => {
        if (isAbsent(thrown) || (isOfTheFile(thrown) && unlooked.delete(hash))) return -1;
        if (isOfTheFile(thrown)) unlooked.add(hash);
        throw thrown;
      },
    );

  return {
    settle,
    settled,
    adopt,
    verify: async (hash, pace) => {
      const entry = stock.index.media.get(hash);
      if (entry === undefined) return false;
      const { is, chunk } = await compare(hash, entry, ports, pace);
      if (is !== 'whole') return settle(hash, is, chunk);
      const now = stock.index.media.get(hash);
      if (now !== undefined) stock.set(hash, { ...now, verifiedMs: ports.now() });
      return now !== undefined;
    },
    reconcile: async (signal) => {
      const found = { adopted: [] as MediaHash[], quarantined: [] as MediaHash[], lost: [] as MediaHash[] };
      let failure: unknown | null = null;
      const known = [...stock.index.media.keys()];
      const unknown = (await folders.mediaFiles()).filter((hash) => !stock.index.media.has(hash));
      const each = async (hashes: readonly MediaHash[], look: (hash: MediaHash) => Promise<void>) => {
        for (const hash of hashes) {
          if (signal.aborted) return;
          await look(hash).catch((thrown: unknown) => {
            failure ??= storeFailure(thrown, 'looking through the store');
          });
        }
      };
      await each(known, async (hash) => {
        const size = await sizeOf(hash);
        unlooked.delete(hash);
        const entry = stock.index.media.get(hash);
        if (entry === undefined || size === entry.sizeBytes) return;
        if (!(await settle(hash, 'damaged', 0))) found.lost.push(hash);
      });
      await each(unknown, async (hash) => {
        if (stock.index.media.has(hash)) return;
        const is = await adopt(hash);
        if (is === 'whole') found.adopted.push(hash);
        else if (is !== 'absent') found.quarantined.push(hash);
      });
      for (const [key, hash] of stock.index.recorded)
        if (!stock.index.media.has(hash)) stock.index.recorded.delete(key);
      return { ...found, failure };
    },
  };
}

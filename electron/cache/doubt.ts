import type { MediaHash } from '../playlist/playlist.ts';
import { isAbsent } from './failure.ts';
import { compare, type Proof, type ProofPorts, prove } from './recover.ts';
import type { Stock } from './stock.ts';

/** Why a stored file is no longer one: gone, changed, or the disk fails at it. */
export type Damage = Exclude<Proof['is'], 'whole'>;

/** What was found and put right after the start. */
export interface Reconciliation {
  /** Files that were in no index and are now, their digest and kind proven. */
  readonly adopted: readonly MediaHash[];
  /** Files that are not what they are called. */
  readonly quarantined: readonly MediaHash[];
  /** In the index, but not on the disk or of another length. */
  readonly lost: readonly MediaHash[];
}

export interface DoubtPorts extends ProofPorts {
  readonly stock: Stock;
  /** A stored file is no longer one; called before anything is written. */
  damaged(hash: MediaHash, how: Damage): void;
  now(): number;
}

/** Decides about files that may not be what the index says. All methods throw the file system's own errors. */
export interface Doubt {
  /** Compare all of a stored file with its digests; what is damaged goes to quarantine. */
  verify(hash: MediaHash, pace: (bytes: number) => Promise<void>): Promise<boolean>;
  /** A chunk was not what it should be: the file is read whole, and it or its entry in the index goes. */
  settle(hash: MediaHash, how: Damage): Promise<boolean>;
  /** Take a file on the disk that the index does not know, once it is proven. */
  adopt(hash: MediaHash): Promise<Damage | 'whole'>;
  /** Bring index and disk into agreement, whatever a crash or a hand has left. */
  reconcile(signal: AbortSignal): Promise<Reconciliation>;
}

export function createDoubt(ports: DoubtPorts): Doubt {
  const { stock, folders, files } = ports;
  const entering = new Map<MediaHash, Promise<Damage | 'whole'>>();

  const remove = async (hash: MediaHash, how: Damage) => {
    stock.drop(hash);
    ports.damaged(hash, how);
    await quarantine(hash);
    await stock.save();
  };
  const quarantine = async (hash: MediaHash) => {
    await folders.quarantine(folders.media(hash), hash).catch((thrown) => {
      if (!isAbsent(thrown)) throw thrown;
    });
  };
  const settle: Doubt['settle'] = async (hash, how) => {
    const entry = stock.index.media.get(hash);
    if (entry === undefined) return false;
    const proof = how === 'damaged' ? await prove(hash, ports) : { is: how };
    if (!stock.index.media.has(hash)) return false;
    if (proof.is !== 'whole') {
      await remove(hash, proof.is);
      return false;
    }
    // The file is what it is called: its chunks' digests were not.
    const { format, sizeBytes, chunks } = proof;
    stock.set(hash, { ...entry, format, sizeBytes, chunks });
    await stock.save();
    return true;
  };
  const take = async (hash: MediaHash): Promise<Damage | 'whole'> => {
    await stock.isGone(hash);
    const proof = await prove(hash, ports);
    if (proof.is === 'whole') {
      const { format, sizeBytes, chunks } = proof;
      const nowMs = ports.now();
      if (!stock.index.media.has(hash))
        stock.set(hash, { format, sizeBytes, chunks, lastUsedMs: nowMs, verifiedMs: nowMs });
    } else if (proof.is !== 'absent') await quarantine(hash);
    return proof.is;
  };
  const adopt: Doubt['adopt'] = (hash) => {
    const running = entering.get(hash) ?? take(hash).finally(() => entering.delete(hash));
    entering.set(hash, running);
    return running;
  };

  return {
    settle,
    adopt,
    verify: async (hash, pace) => {
      const entry = stock.index.media.get(hash);
      if (entry === undefined) return false;
      const { is } = await compare(hash, entry, ports, pace);
      if (is !== 'whole') return settle(hash, is);
      const now = stock.index.media.get(hash);
      if (now !== undefined) stock.set(hash, { ...now, verifiedMs: ports.now() });
      return now !== undefined;
    },
    reconcile: async (signal) => {
      const found = { adopted: [] as MediaHash[], quarantined: [] as MediaHash[], lost: [] as MediaHash[] };
      const known = [...stock.index.media];
      const onDisk = await folders.mediaFiles();
      for (const [hash, { sizeBytes }] of known) {
        if (signal.aborted) return found;
        const size = await files.stat(folders.media(hash)).then(
          (stat) => stat.size,
          (thrown) => {
            if (isAbsent(thrown)) return -1;
            throw thrown;
          },
        );
        if (size === sizeBytes || !stock.index.media.has(hash)) continue;
        found.lost.push(hash);
        await remove(hash, size === -1 ? 'absent' : 'damaged');
      }
      for (const hash of onDisk) {
        if (signal.aborted) return found;
        if (stock.index.media.has(hash)) continue;
        const is = await adopt(hash);
        if (is === 'whole') found.adopted.push(hash);
        else if (is !== 'absent') found.quarantined.push(hash);
      }
      for (const [key, hash] of stock.index.recorded)
        if (!stock.index.media.has(hash)) stock.index.recorded.delete(key);
      if (found.adopted.length > 0) await stock.save();
      return found;
    },
  };
}

import type { Log } from '../log.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import type { MediaStore } from './store.ts';

export interface ScrubPorts {
  readonly store: Pick<MediaStore, 'reconcile' | 'oldestVerified' | 'verify' | 'isLeased' | 'probe' | 'flush'>;
  /** @throws when `signal` aborts */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** The disk refuses to be written or read; `null` when it can be written. */
  report(problem: unknown | null): void;
  /** The disk can be written again after it could not: what waits for it need not wait longer. */
  recovered(): void;
  readonly log: Log;
}

/** What is on or about to be on the screen is looked at quickly once; the rest must not be felt. */
const quickBytesPerSecond = 32 * 2 ** 20;
const calmBytesPerSecond = 4 * 2 ** 20;
const betweenRoundsMs = 60_000;
const betweenTriesMs = 60_000;
/** The index learns when files were verified; a flash disk should not be written every minute for it. */
const triesPerFlush = 30;
/** How soon a disk that failed is tried again. */
const tryAgainMs = 15_000;

/**
 * Look after the store for ever: try every minute whether the disk can be written, bring index and disk into agreement,
 * and go round the files. Side by side, for going round a large store takes hours.
 * @throws when `signal` aborts, and nothing else
 */
export async function scrub(ports: ScrubPorts, signal: AbortSignal): Promise<never> {
  let isUnlooked = false;
  const all: ScrubPorts = {
    ...ports,
    // That the disk can be written is no answer to a look through the store that failed.
    report: (problem) => {
      if (problem !== null || !isUnlooked) ports.report(problem);
    },
  };
  const look = async () => {
    const failure = await lookThrough(all, signal);
    if (failure !== null && !isUnlooked) ports.log.failure('store-fault', failure);
    if (failure !== null) all.report(failure);
    if (failure === null && isUnlooked) ports.recovered();
    isUnlooked = failure !== null;
  };
  const lookAgain = async () => {
    while (isUnlooked) {
      await ports.wait(tryAgainMs, signal);
      await look();
    }
  };
  const first = look();
  const [never] = await Promise.all([
    tryDisk(all, signal),
    first.then(() => goRound(all, signal)),
    first.then(lookAgain),
  ]);
  return never;
}

/** @returns why some of it could not be looked at, else `null` */
async function lookThrough({ store, log }: ScrubPorts, signal: AbortSignal): Promise<unknown | null> {
  try {
    const { failure, ...found } = await store.reconcile(signal);
    for (const [outcome, hashes] of Object.entries(found))
      if (hashes.length > 0) log.warn('store-reconciled', { outcome, count: hashes.length });
    return failure;
  } catch (thrown) {
    signal.throwIfAborted();
    return thrown;
  }
}

/** A full or read-only disk is reported before a sync needs it, and the report taken back when it is well again. */
async function tryDisk({ store, log, ...ports }: ScrubPorts, signal: AbortSignal): Promise<never> {
  let isFailing = false;
  for (let tries = 1; ; tries++) {
    try {
      await store.probe();
      if (tries >= triesPerFlush) {
        await store.flush();
        tries = 0;
      }
      if (isFailing) ports.recovered();
      isFailing = false;
      ports.report(null);
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isFailing) log.failure('store-fault', thrown);
      isFailing = true;
      ports.report(thrown);
    }
    await ports.wait(isFailing ? tryAgainMs : betweenTriesMs, signal);
  }
}

/**
 * Read every file and compare it with its digests, those that may be shown first. Reads are paced. What cannot be read
 * now is read in the next round.
 */
async function goRound({ store, log, ...ports }: ScrubPorts, signal: AbortSignal): Promise<never> {
  let seen: ReadonlySet<MediaHash> = new Set();
  let wasFailing = false;
  for (;;) {
    let isFailing = false;
    const round = new Set<MediaHash>();
    for (const hash of store.oldestVerified()) {
      signal.throwIfAborted();
      const bytesPerSecond = store.isLeased(hash) && !seen.has(hash) ? quickBytesPerSecond : calmBytesPerSecond;
      try {
        await store.verify(hash, (bytes) => ports.wait((bytes / bytesPerSecond) * 1_000, signal));
      } catch (thrown) {
        signal.throwIfAborted();
        if (!isFailing && !wasFailing) log.failure('store-fault', thrown);
        isFailing = true;
        ports.report(thrown);
      }
      round.add(hash);
    }
    seen = round;
    wasFailing = isFailing;
    await ports.wait(betweenRoundsMs, signal);
  }
}

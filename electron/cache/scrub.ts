import type { Log } from '../log.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import type { MediaStore } from './store.ts';

export interface ScrubPorts {
  readonly store: Pick<MediaStore, 'reconcile' | 'oldestVerified' | 'verify' | 'isLeased' | 'probe' | 'flush'>;
  /** @throws when `signal` aborts */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** The disk refuses to be written or read; `null` when it does so no longer. */
  report(problem: unknown | null): void;
  /** The disk can be written again after it could not: what waits for it need not wait longer. */
  recovered(): void;
  readonly log: Log;
}

/** What is on or about to be on the screen is looked at quickly once; the rest must not be felt. */
const quickBytesPerSecond = 32 * 2 ** 20;
const calmBytesPerSecond = 4 * 2 ** 20;
const betweenRoundsMs = 60_000;
/** The index learns when files were verified; a flash disk should not be written every minute for it. */
const roundsPerFlush = 30;
/** How soon a disk that failed is tried again. */
const tryAgainMs = 15_000;

/**
 * Go round the store for ever: bring index and disk into agreement once, then read every file and compare it with its
 * digests, those that may be shown first. Reads are paced. Each round also shows whether the disk can be written, so
 * that a full or read-only one is reported before a sync needs it, and taken back when it is well again.
 * @throws when `signal` aborts, and nothing else
 */
export async function scrub(ports: ScrubPorts, signal: AbortSignal): Promise<never> {
  const { store, log } = ports;
  const seen = new Set<MediaHash>();
  let reconciled = false;
  let failing = false;
  for (let round = 1; ; round++) {
    try {
      if (!reconciled) {
        const { adopted, quarantined, lost } = await store.reconcile(signal);
        reconciled = true;
        for (const [outcome, hashes] of Object.entries({ adopted, quarantined, lost }))
          if (hashes.length > 0) log.warn('store-reconciled', { outcome, count: hashes.length });
      }
      await store.probe();
      if (round % roundsPerFlush === 0) await store.flush();
      if (failing) ports.recovered();
      failing = false;
      ports.report(null);
      for (const hash of store.oldestVerified()) {
        signal.throwIfAborted();
        const quick = store.isLeased(hash) && !seen.has(hash);
        const bytesPerSecond = quick ? quickBytesPerSecond : calmBytesPerSecond;
        await store.verify(hash, (bytes) => ports.wait((bytes / bytesPerSecond) * 1_000, signal));
        seen.add(hash);
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (!failing) log.failure('store-fault', thrown);
      failing = true;
      ports.report(thrown);
    }
    await ports.wait(failing ? tryAgainMs : betweenRoundsMs, signal);
  }
}

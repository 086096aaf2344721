import { setTimeout as delay } from 'node:timers/promises';

/** Longest delay of one Node timer; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/** A wait that something else can end early. */
export interface Poke {
  /** End the running wait, or the next one when none is running. */
  poke(): void;
  /** End the running wait; without one nothing comes of it. */
  nudge(): void;
  /**
   * Until so many ms have passed no wait ends, neither at its time nor when poked. Takes the place of what was said
   * before: 0 ends it.
   */
  hold(ms: number): void;
  /** @throws when `signal` aborts */
  wait(ms: number, signal: AbortSignal): Promise<'elapsed' | 'poked'>;
}

/** Does one piece of work after the other, in the order in which they are given, and fails as each of them does. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** @throws when `signal` aborts */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(ms, longestMs), undefined, { signal });
}

/**
 * The waits leave nothing behind on their signals: what AbortSignal.any() makes of one that lives for months does, with
 * Node.js 20.
 * @param now monotonic milliseconds
 */
export function createPoke(now = () => performance.now()): Poke {
  let pending = false;
  let heldUntilMs = 0;
  let wake: (() => void) | null = null;
  let look = () => {};
  return {
    nudge: () => wake?.(),
    poke: () => {
      if (wake === null) pending = true;
      else wake();
    },
    hold: (ms) => {
      heldUntilMs = now() + ms;
      look();
    },
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const dueMs = now() + ms;
        let isPoked = pending;
        let timer: NodeJS.Timeout | undefined;
        const over = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          wake = null;
          look = () => {};
        };
        const abort = () => {
          over();
          // The poke is for the next wait.
          pending = isPoked;
          reject(signal.reason);
        };
        look = () => {
          clearTimeout(timer);
          const leftMs = Math.max(isPoked ? 0 : dueMs - now(), heldUntilMs - now());
          if (leftMs > 0) {
            timer = setTimeout(look, Math.min(Math.ceil(leftMs), longestMs));
            return;
          }
          over();
          resolve(isPoked ? 'poked' : 'elapsed');
        };
        wake = () => {
          isPoked = true;
          look();
        };
        pending = false;
        signal.addEventListener('abort', abort, { once: true });
        look();
      }),
  };
}

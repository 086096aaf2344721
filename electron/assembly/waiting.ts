import { setTimeout as delay } from 'node:timers/promises';

/** Longest delay of one Node timer; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/** A wait that something else can end early. */
export interface Poke {
  /** End the running wait, or the next one when none is running. */
  poke(): void;
  /** End the running wait; without one nothing comes of it. */
  nudge(): void;
  /** @throws when `signal` aborts */
  wait(ms: number, signal: AbortSignal): Promise<'elapsed' | 'poked'>;
}

/** @throws when `signal` aborts */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(ms, longestMs), undefined, { signal });
}

/**
 * Work that ends with `signal`, or with a TimeoutError after `ms`. (AbortSignal.timeout() would not do: nothing but
 * AbortSignal.any() would hold it, weakly, and Node.js 20 collects it before its time.)
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DOMException('the time is up', 'TimeoutError')), ms);
  try {
    return await work(AbortSignal.any([signal, deadline.signal]));
  } finally {
    clearTimeout(timer);
  }
}

export function createPoke(): Poke {
  let pending = false;
  let wake: (() => void) | null = null;
  return {
    nudge: () => wake?.(),
    poke: () => {
      if (wake === null) pending = true;
      else wake();
    },
    wait: async (ms, signal) => {
      if (pending) {
        pending = false;
        return 'poked';
      }
      const early = new AbortController();
      let poked = false;
      wake = () => {
        poked = true;
        early.abort();
      };
      try {
        await waitFor(ms, AbortSignal.any([signal, early.signal]));
      } catch (thrown) {
        // Poked and aborted at once: the poke is for the next wait.
        pending = poked && signal.aborted;
        if (!poked || signal.aborted) throw thrown;
      } finally {
        wake = null;
      }
      return poked ? 'poked' : 'elapsed';
    },
  };
}

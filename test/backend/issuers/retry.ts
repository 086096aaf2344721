/** Trying again what may succeed later, with full jitter. */
import { setTimeout as delay } from 'node:timers/promises';
import { IssuerError } from './issuer.ts';

export interface Retries {
  /** Tries in all. */
  readonly most: number;
  /** Longest pause after the first try, doubled after each further one, milliseconds. */
  readonly firstPauseMs: number;
  /** 0 ≤ random < 1 */
  random(): number;
}

export const usualRetries: Retries = { most: 4, firstPauseMs: 500, random: Math.random };

/** @throws IssuerError of the last try, or the first that nothing but a change can mend */
export async function retrying<Value>(retries: Retries, work: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof IssuerError) || !error.retryable || attempt >= retries.most) throw error;
      await delay(retries.firstPauseMs * 2 ** (attempt - 1) * retries.random());
    }
  }
}

/** Whether the same call may succeed later, by its HTTP status. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

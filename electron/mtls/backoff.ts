const firstMs = 1_000;
const longestMs = 5 * 60_000;

/**
 * Exponential back-off with full jitter, 1 s … 5 min.
 * @param attempt 0 for the first pause
 * @param random 0 ≤ random < 1
 * @returns milliseconds; never 0, so that a failing loop cannot spin
 */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.max(100, Math.floor(ceiling * random));
}

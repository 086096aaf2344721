/** The table that the suite prints, and what its rows share. */
import { writeFileSync } from 'node:fs';

/** What is done in the full form, `npm run test:chaos`, and what within `npm test`. */
export const full = process.env['SIGNET_CHAOS'] === 'full';

/** A row of the table that the suite prints. */
export interface Row {
  /** Number in the fault matrix (README.md of this folder). */
  readonly row: string;
  readonly fault: string;
  readonly n: number;
  readonly screen: string;
  readonly reported: readonly string[];
  /** From the end of the fault, or the start after it, until the right item was on the display. */
  readonly recoveryMs: readonly number[];
  /** The planted bug that the row caught. */
  readonly caught: string;
}

export function record(row: Row): void {
  const file = process.env['SIGNET_CHAOS_ROWS'];
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(row)}\n`, { flag: 'a' });
}

/** A generator of numbers 0 ≤ n < 1 that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

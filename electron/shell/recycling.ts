/** When the page's process is replaced by a fresh one: pure. Renderers that live for months grow. */

export interface RecycleBounds {
  readonly recycleAfterHours: number;
  /** Proportional set size of the page's process, MiB. */
  readonly recycleAboveMegabytes: number;
}

/** A picture looks the same in both pages; after this long without one any item will do. */
const longestWaitMs = 30 * 60_000;
/** Between two replacements, also those that failed: memory that a fresh page needs as well is no reason for another. */
const shortestLifeMs = 10 * 60_000;

export interface PageAge {
  /** Since the page was opened or its successor failed. */
  readonly ageMs: number;
  readonly megabytes: number;
}

/**
 * Since when, by a page's age and memory, it should be replaced: `dueMs` ago; `null`: not yet.
 * @param overSinceMs how long its memory has been above the bound
 */
export function dueForMs({ ageMs, megabytes }: PageAge, overSinceMs: number, bounds: RecycleBounds): number | null {
  const byAgeMs = ageMs - bounds.recycleAfterHours * 3_600_000;
  const byMemoryMs = megabytes > bounds.recycleAboveMegabytes && ageMs > shortestLifeMs ? overSinceMs : -1;
  const dueMs = Math.max(byAgeMs, byMemoryMs);
  return dueMs < 0 ? null : dueMs;
}

/** Whether the item that has just come onto the display is one at which to replace the page. */
export function isOccasion(dueMs: number | null, isPicture: boolean): boolean {
  return dueMs !== null && (isPicture || dueMs > longestWaitMs);
}

/** Proportional set size in MiB from /proc/<pid>/smaps_rollup (proc(5)); 0 where it does not say. */
export function pssOf(rollup: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) / 1024;
}

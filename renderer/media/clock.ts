/** How long an image or web page stays for which nobody has said it. */
const defaultSeconds = 10;

/** The most by which an item is shortened because the one before it was late. */
const longestCatchUpMs = 1000;

/** A browser's timer may fire a moment early; an item that ended by more than this before its time stalled. */
const earliestMs = 20;

/** How long an item stays, in milliseconds; `null`: until it has played to its end. */
export function timeOf(kind: string, durationSeconds: number | null): number | null {
  if (durationSeconds !== null) return durationSeconds * 1000;
  return kind === 'image' || kind === 'web' ? defaultSeconds * 1000 : null;
}

/**
 * From when an item's time counts: from the moment at which it was due, so that the frame or two that every reveal
 * costs, and the moment by which a timer is early, do not add up over a day. One that is very late gives up no more than half of its time to catch up.
 *
 * @param dueMs when the item before was to end; `null`: nothing was due
 */
export function countsFrom(dueMs: number | null, nowMs: number, timeMs: number): number {
  if (dueMs === null) return nowMs;
  // An item that ended before its time, because it stalled, gives none of what it had left to the next.
  if (nowMs < dueMs - earliestMs) return nowMs;
  return Math.max(dueMs, nowMs - Math.min(longestCatchUpMs, timeMs / 2));
}

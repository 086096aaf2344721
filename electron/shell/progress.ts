import type { Snapshot } from '../ipc/contract.ts';

/** What the page has told of the display: pure. A supervisor is fed by this, not by a timer. */
export interface Display {
  /** Monotonic milliseconds of the latest heartbeat; `null` before the first. */
  readonly beatMs: number | null;
  /** The item that the heartbeat names. */
  readonly itemId: string | null;
  /** When an item was last reported as shown, and which. */
  readonly shown: { readonly itemId: string; readonly atMs: number } | null;
  /** When anything was last reported: an item that failed is progress too. */
  readonly reportMs: number | null;
  /** Since when the program is the present one. */
  readonly program: { readonly programId: string; readonly sinceMs: number } | null;
}

export const unseen: Display = { beatMs: null, itemId: null, shown: null, reportMs: null, program: null };

const staleBeatMs = 3_000;
const longestLagMs = 1_000;
/** A video whose length is not known plays to its end; the page itself passes over one that stands still. */
const longestVideoMs = 86_400_000;
/** The item after the present one may take ten seconds to prepare, or fail, and so may some more. */
const lateMs = 30_000;
/** While nothing of a program can be shown it is tried again after a minute at most. */
const emptyMs = 120_000;

/** Why the display is not as it should be, for the log. */
export type Standstill = 'main-busy' | 'no-page' | 'page-silent' | 'item-overdue' | 'nothing-shown';

export function beaten(display: Display, itemId: string | null, nowMs: number): Display {
  return { ...display, beatMs: nowMs, itemId };
}

export function reported(display: Display, itemId: string, outcome: string, nowMs: number): Display {
  const shown = outcome === 'shown' ? { itemId, atMs: nowMs } : display.shown;
  return { ...display, shown, reportMs: nowMs };
}

/** The program may have changed; a new one has its time from now. */
export function told(display: Display, snapshot: Snapshot, nowMs: number): Display {
  const programId = snapshot.state === 'playing' ? snapshot.program.programId : null;
  if (programId === (display.program?.programId ?? null)) return display;
  return { ...display, program: programId === null ? null : { programId, sinceMs: nowMs } };
}

/**
 * Whether what is to be seen moves as planned; `null` when it does. Registering, standby and trouble are as planned
 * as long as the page is alive.
 * @param lagMs how late main's own timers are
 */
export function standstill(display: Display, snapshot: Snapshot, lagMs: number, nowMs: number): Standstill | null {
  if (lagMs >= longestLagMs) return 'main-busy';
  if (display.beatMs === null) return 'no-page';
  if (nowMs - display.beatMs > staleBeatMs) return 'page-silent';
  if (snapshot.state !== 'playing' || snapshot.program.items.length === 0) return null;
  const sinceMs = Math.max(display.program?.sinceMs ?? nowMs, display.reportMs ?? 0);
  const { itemId } = display;
  if (itemId === null) return nowMs - sinceMs > emptyMs ? 'nothing-shown' : null;
  const item = snapshot.program.items.find((candidate) => candidate.itemId === itemId);
  // An item that was withdrawn has a minute at most.
  const durationMs = item === undefined ? 60_000 : (item.durationSeconds ?? longestVideoMs / 1_000) * 1_000;
  const dueMs = Math.max((display.shown?.atMs ?? sinceMs) + durationMs, sinceMs) + lateMs;
  return nowMs > dueMs ? 'item-overdue' : null;
}

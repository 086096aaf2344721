import type { Program, ProgramItem, Snapshot } from '../ipc/contract.ts';

/** What the page has told of the display: pure. A supervisor is fed by this, not by a timer. */
export interface Display {
  /** Monotonic milliseconds of the latest heartbeat; `null` before the first. */
  readonly beatMs: number | null;
  /** The item that the heartbeat names, and since when it has named no other. */
  readonly itemId: string | null;
  readonly itemSinceMs: number;
  /** That item: since it was last reported as shown, before that since it was named. */
  readonly shown: Showing | null;
  /** When anything was last reported: an item that failed is progress too. */
  readonly reportMs: number | null;
  /** The present program, since when it is that, and the one before. */
  readonly program: { readonly present: Program; readonly sinceMs: number; readonly before: Program | null } | null;
}

interface Showing {
  readonly itemId: string;
  readonly source: string | null;
  readonly atMs: number;
  /** How long the page lets it stay, whatever later programs say; infinite for a stream that plays to its end. */
  readonly staysMs: number;
}

export const unseen: Display = {
  beatMs: null,
  itemId: null,
  itemSinceMs: 0,
  shown: null,
  reportMs: null,
  program: null,
};

const staleBeatMs = 3_000;
const longestLagMs = 1_000;
/** A video whose length is not known plays to its end; the page itself passes over one that stands still. */
const longestVideoMs = 86_400_000;
/** An item that was withdrawn has this long from then on, its own time permitting. */
const withdrawnMs = 60_000;
/** How long after a change the page may show an item by the program before: it has not heard, or not been heard. */
const crossingMs = 5_000;
/** The item after the present one may take ten seconds to prepare, or fail, and so may some more. */
const lateMs = 30_000;
/** While nothing of a program can be shown it is tried again after a minute at most. */
const emptyMs = 120_000;

/** Why the display is not as it should be, for the log. */
export type Standstill = 'main-busy' | 'no-page' | 'page-silent' | 'item-overdue' | 'nothing-shown';

/** Main must have `told` of the program by then: an item keeps the time that it had when it came onto the display. */
export function beaten(display: Display, itemId: string | null, nowMs: number): Display {
  if (itemId === display.itemId) return { ...display, beatMs: nowMs };
  const shown = itemId === null ? null : showing(display, itemId, nowMs);
  return { ...display, beatMs: nowMs, itemId, itemSinceMs: nowMs, shown };
}

/** As for `beaten`. What a page has shown that is not on the display says nothing of how long the item there stays. */
export function reported(display: Display, itemId: string, outcome: string, nowMs: number): Display {
  const anew = outcome === 'shown' && itemId === display.itemId;
  return { ...display, shown: anew ? showing(display, itemId, nowMs) : display.shown, reportMs: nowMs };
}

function showing({ program }: Display, itemId: string, atMs: number): Showing {
  const programs = program === null ? [] : [program.present];
  if (program?.before && atMs - program.sinceMs < crossingMs) programs.push(program.before);
  const found = programs.flatMap(({ items }) => items.filter((item) => item.itemId === itemId));
  const staysMs = found.length === 0 ? withdrawnMs : Math.max(...found.map(stayOf));
  return { itemId, source: found[0]?.source ?? null, atMs, staysMs };
}

function stayOf({ kind, durationSeconds }: ProgramItem): number {
  if (durationSeconds !== null) return durationSeconds * 1_000;
  return kind === 'stream' ? Number.POSITIVE_INFINITY : longestVideoMs;
}

/** The program may have changed; a new one has its time from now. */
export function told(display: Display, snapshot: Snapshot, nowMs: number): Display {
  const present = snapshot.state === 'playing' ? snapshot.program : null;
  const before = display.program?.present ?? null;
  if (present?.programId === before?.programId) return display;
  return { ...display, program: present === null ? null : { present, sinceMs: nowMs, before } };
}

/** Until when the page lets the item stay. */
function endOf(shown: Showing, { items }: Program, programSinceMs: number): number {
  const endMs = shown.atMs + shown.staysMs;
  const stays = items.some(({ itemId, source }) => itemId === shown.itemId && source === shown.source);
  return stays ? endMs : Math.min(endMs, Math.max(shown.atMs, programSinceMs) + withdrawnMs);
}

/**
 * Whether what is to be seen moves as planned; `null` when it does. Registering, standby and trouble are as planned
 * as long as the page is alive, and so is a stream that plays to its end: nobody but the page can say that it stalled.
 * @param lagMs how late main's own timers are
 */
export function standstill(display: Display, snapshot: Snapshot, lagMs: number, nowMs: number): Standstill | null {
  const { beatMs, itemId, itemSinceMs, shown, reportMs, program } = display;
  if (lagMs >= longestLagMs) return 'main-busy';
  if (beatMs === null) return 'no-page';
  if (nowMs - beatMs > staleBeatMs) return 'page-silent';
  if (snapshot.state !== 'playing' || snapshot.program.items.length === 0) return null;
  const programSinceMs = program?.sinceMs ?? nowMs;
  const sinceMs = Math.max(programSinceMs, reportMs ?? 0, itemSinceMs);
  if (itemId === null || shown === null) return nowMs - sinceMs > emptyMs ? 'nothing-shown' : null;
  return nowMs > Math.max(endOf(shown, snapshot.program, programSinceMs), sinceMs) + lateMs ? 'item-overdue' : null;
}

/**
 * What plays next: a pure state machine over two surfaces. One surface is on the display, the other prepares the next
 * item; an item is revealed only when it is ready and the one before it has had its time. Plays are numbered, so that
 * a late answer about an earlier play changes nothing.
 */
import type { PlaybackReport, Program, ProgramItem, Resume } from '../electron/ipc/contract.ts';

export type SurfaceId = 0 | 1;

/** One showing of one item on one surface. */
export interface Play {
  readonly play: number;
  readonly surface: SurfaceId;
  readonly item: ProgramItem;
}

/** The play on the display. Its predecessor keeps the other surface until this one has settled. */
export interface Shown extends Play {
  readonly phase: 'revealed' | 'presented' | 'settled';
  readonly timeIsUp: boolean;
}

export interface Playback {
  readonly program: Program | null;
  readonly shown: Shown | null;
  /** `anew`: it was ready already, and was lost while it waited. */
  readonly upcoming: (Play & { readonly phase: 'preparing' | 'ready'; readonly anew: boolean }) | null;
  /** Place in the program from which the next item is sought. */
  readonly cursor: number;
  readonly plays: number;
  /** Surface of the latest reveal; the next item is prepared on the other one. */
  readonly lastSurface: SurfaceId;
  /** Items in a row that could not be revealed. */
  readonly misses: number;
  /** Rounds in a row in which nothing could be revealed. */
  readonly emptyRounds: number;
  /** Number of the awaited retry while nothing of the program can be shown. */
  readonly retry: number | null;
}

export type Happening =
  /** `from`: what another page showed before this one began. */
  | { readonly type: 'program-changed'; readonly program: Program | null; readonly from?: Resume }
  | { readonly type: 'prepared'; readonly play: number }
  /** It cannot be shown, or not any more while it waits. */
  | { readonly type: 'refused'; readonly play: number; readonly reason: string }
  | { readonly type: 'presented'; readonly play: number }
  | { readonly type: 'settled'; readonly play: number }
  /** `beyondMs`: how long ago its time was up. */
  | { readonly type: 'elapsed'; readonly play: number; readonly beyondMs: number }
  | { readonly type: 'stalled'; readonly play: number }
  /** Its time has been up for a while: the next one is late, the one after it is, too, or even overdue. */
  | { readonly type: 'late' | 'again' | 'overdue'; readonly play: number }
  /** A program without it has come a while ago. */
  | { readonly type: 'withdrawn'; readonly play: number }
  | { readonly type: 'retry-due'; readonly retry: number };

export type Effect =
  | { readonly type: 'prepare'; readonly play: Play }
  | { readonly type: 'discard'; readonly play: Play }
  | { readonly type: 'reveal'; readonly play: Play; readonly outgoing: Play | null }
  /** Lets something happen to a play after a while, if it is still on the display by then. */
  | {
      readonly type: 'remind';
      readonly play: Play;
      readonly of: 'withdrawn' | 'late' | 'again' | 'overdue';
      readonly ms: number;
    }
  /** Takes the play off the display; a screen shows in its place. */
  | { readonly type: 'leave'; readonly play: Play }
  | { readonly type: 'report'; readonly report: PlaybackReport }
  | { readonly type: 'wait'; readonly retry: number; readonly ms: number };

export interface Step {
  readonly next: Playback;
  readonly effects: readonly Effect[];
}

export const idle: Playback = {
  program: null,
  shown: null,
  upcoming: null,
  cursor: 0,
  plays: 0,
  lastSurface: 1,
  misses: 0,
  emptyRounds: 0,
  retry: null,
};

/** The longest that a withdrawn item stays, so that an item of a day cannot delay a new program by a day. */
export const withdrawnGraceMs = 60_000;

/**
 * How long an item may stay beyond its time for an item that is not ready; then that one is passed over. A medium that
 * has not played to its end by then has stalled.
 */
export const lateMs = 900;

/** When two items have had their chance, the shown one is prepared anew: rather twice what is good than a screen. */
export const againMs = 1250;

/** When an item has to leave at last. */
export const overdueMs = 1500;

/** How long it takes to leave: a fade. With it an item is gone within two seconds of its time, frames included. */
export const leavingMs = 300;

/** Milliseconds until a program, of which nothing could be shown, is tried again: 2 s doubling to one minute. */
export function backOffMs(emptyRounds: number): number {
  return Math.min(2000 * 2 ** Math.min(emptyRounds, 10), 60_000);
}

/** Why an item cannot be shown at all, `null` when it can. */
function unshowable(item: ProgramItem): string | null {
  return item.source === null && item.kind !== 'web' ? 'no-source' : null;
}

function report(item: ProgramItem, outcome: PlaybackReport['outcome'], reason?: string): Effect {
  const base = { itemId: item.itemId, outcome };
  return { type: 'report', report: reason === undefined ? base : { ...base, reason } };
}

function prepare(from: Playback, item: ProgramItem, before: readonly Effect[], anew = false): Step {
  const play: Play = { play: from.plays + 1, surface: from.lastSurface === 0 ? 1 : 0, item };
  const next: Playback = { ...from, plays: play.play, upcoming: { ...play, phase: 'preparing', anew } };
  return { next, effects: [...before, { type: 'prepare', play }] };
}

/** Seeks the next item that can be shown and has it prepared; after a whole round without one, waits. */
function seek(from: Playback, before: readonly Effect[]): Step {
  const items = from.program?.items ?? [];
  const effects = [...before];
  let { cursor, misses } = from;
  while (misses < items.length) {
    const item = items[cursor % items.length] as ProgramItem;
    cursor = (cursor + 1) % items.length;
    const reason = unshowable(item);
    if (reason === null) return prepare({ ...from, cursor, misses }, item, effects);
    effects.push(report(item, 'skipped', reason));
    misses += 1;
  }
  const retry = from.plays + 1;
  effects.push({ type: 'wait', retry, ms: backOffMs(from.emptyRounds) });
  const resting = {
    ...from,
    cursor,
    misses: 0,
    plays: retry,
    emptyRounds: from.emptyRounds + 1,
    retry,
    upcoming: null,
  };
  return leaveIfOver(resting, effects);
}

/** While nothing can be prepared, what is on the display stays for its time, not longer. */
function leaveIfOver(from: Playback, effects: readonly Effect[]): Step {
  if (from.shown === null || !from.shown.timeIsUp) return { next: from, effects };
  return { next: { ...from, shown: null }, effects: [...effects, { type: 'leave', play: from.shown }] };
}

function reveal(from: Playback, effects: readonly Effect[]): Step {
  const { upcoming, shown } = from;
  if (upcoming === null || upcoming.phase !== 'ready') return { next: from, effects };
  if (shown !== null && !shown.timeIsUp) return { next: from, effects };
  const { phase: _ready, anew: _anew, ...play } = upcoming;
  const revealed: Shown = { ...play, phase: 'revealed', timeIsUp: false };
  return {
    next: { ...from, shown: revealed, upcoming: null, lastSurface: play.surface, misses: 0, emptyRounds: 0 },
    effects: [...effects, { type: 'reveal', play, outgoing: shown }],
  };
}

/** Where a program holds what is shown; negative where it does not, or holds another file by that name. */
function placeOf(program: Program | null, { item: { itemId, source } }: Shown): number {
  return program?.items.findIndex((item) => item.itemId === itemId && item.source === source) ?? -1;
}

/** Where a page goes on that takes the place of another; at the beginning where the program does not hold the item. */
function cursorOf(program: Program, resume?: Resume): number {
  const place = program.items.findIndex(({ itemId }) => itemId === resume?.itemId);
  return place < 0 ? 0 : place + (resume?.passOver === true ? 1 : 0);
}

function changeProgram(from: Playback, program: Program | null, resume?: Resume): Step {
  if (from.program?.programId === program?.programId) return { next: from, effects: [] };
  const { shown } = from;
  const effects: Effect[] = from.upcoming === null ? [] : [{ type: 'discard', play: from.upcoming }];
  const fresh: Playback = { ...from, program, upcoming: null, cursor: 0, misses: 0, emptyRounds: 0, retry: null };
  if (program === null) {
    if (shown !== null) effects.push({ type: 'leave', play: shown });
    return { next: { ...fresh, shown: null }, effects };
  }
  if (shown === null) return seek({ ...fresh, cursor: cursorOf(program, resume) }, effects);
  const place = placeOf(program, shown);
  if (place < 0) effects.push({ type: 'remind', play: shown, of: 'withdrawn', ms: withdrawnGraceMs });
  const onward = { ...fresh, cursor: place + 1 };
  // Until the reveal has settled, the other surface still holds the item before.
  return shown.phase === 'settled' ? seek(onward, effects) : { next: onward, effects };
}

/** @param agoMs how long the item has held the display beyond its time already */
function timeIsUp(from: Playback, shown: Shown, agoMs: number, before: readonly Effect[]): Step {
  if (shown.timeIsUp) return { next: from, effects: before };
  const over = { ...from, shown: { ...shown, timeIsUp: true } };
  if (from.retry !== null) return leaveIfOver(over, before);
  const revealed = reveal(over, before);
  if (revealed.next.shown?.play !== shown.play) return revealed;
  const chances = { late: lateMs, again: againMs, overdue: overdueMs } as const;
  const reminders = (['late', 'again', 'overdue'] as const).map(
    (of): Effect => ({ type: 'remind', play: shown, of, ms: Math.max(0, chances[of] - agoMs) }),
  );
  return { next: over, effects: [...before, ...reminders] };
}

/** Passes over the item that is being prepared: it has held up the others for too long. */
function passOver(from: Playback): { next: Playback; effects: Effect[] } {
  const { upcoming } = from;
  if (upcoming === null) return { next: from, effects: [] };
  const effects: Effect[] = [{ type: 'discard', play: upcoming }, report(upcoming.item, 'failed', 'deadline')];
  return { next: { ...from, upcoming: null, misses: from.misses + 1 }, effects };
}

/** The next one is late: the one after it gets its chance, while the shown one stays. */
function goPastLate(from: Playback): Step {
  if (from.upcoming === null) return { next: from, effects: [] };
  const { next, effects } = passOver(from);
  return seek(next, effects);
}

/** What was ready and is lost while the shown one still has time, maybe hours, is prepared once more. */
function goPastRefused(from: Playback, { item, phase, anew }: NonNullable<Playback['upcoming']>, reason: string): Step {
  const effects = [report(item, 'failed', reason)];
  if (phase === 'ready' && !anew && from.shown?.timeIsUp === false) return prepare(from, item, effects, true);
  return seek({ ...from, upcoming: null, misses: from.misses + 1 }, effects);
}

const isAgain = ({ upcoming }: Playback, shown: Shown) => upcoming?.item.itemId === shown.item.itemId;

/** The shown item has another turn, because it can be shown and others could not; the round goes on after it. */
function takeAgain(from: Playback, shown: Shown): Step {
  if (from.upcoming === null || isAgain(from, shown) || placeOf(from.program, shown) < 0)
    return { next: from, effects: [] };
  const { next, effects } = passOver(from);
  return prepare(next, shown.item, effects);
}

/** Nothing got ready in time: the shown item goes, and a screen shows until something is. */
function leaveOverdue(from: Playback, shown: Shown): Step {
  if (isAgain(from, shown)) {
    const left = { ...from, shown: null, emptyRounds: Math.max(1, from.emptyRounds) };
    return { next: left, effects: [{ type: 'leave', play: shown }] };
  }
  const { next, effects } = passOver(from);
  effects.push({ type: 'leave', play: shown });
  const left = { ...next, shown: null, emptyRounds: Math.max(1, next.emptyRounds) };
  return left.retry === null ? seek(left, effects) : { next: left, effects };
}

/** The next state and what has to be done; happenings of other plays than the present ones change nothing. */
export function step(from: Playback, happening: Happening): Step {
  const { shown, upcoming } = from;
  const unchanged: Step = { next: from, effects: [] };
  switch (happening.type) {
    case 'program-changed':
      return changeProgram(from, happening.program, happening.from);
    case 'prepared':
      if (upcoming?.play !== happening.play) return unchanged;
      return reveal({ ...from, upcoming: { ...upcoming, phase: 'ready' } }, []);
    case 'refused':
      if (upcoming?.play !== happening.play) return unchanged;
      return goPastRefused(from, upcoming, happening.reason);
    case 'presented':
      if (shown?.play !== happening.play || shown.phase !== 'revealed') return unchanged;
      return { next: { ...from, shown: { ...shown, phase: 'presented' } }, effects: [report(shown.item, 'shown')] };
    case 'settled':
      if (shown?.play !== happening.play || shown.phase === 'settled') return unchanged;
      return seek({ ...from, shown: { ...shown, phase: 'settled' } }, []);
    case 'elapsed':
      return shown?.play === happening.play ? timeIsUp(from, shown, happening.beyondMs, []) : unchanged;
    case 'stalled':
      if (shown?.play !== happening.play) return unchanged;
      return timeIsUp(from, shown, lateMs, [report(shown.item, 'failed', 'stalled')]);
    case 'withdrawn':
      // Back in the program since, it keeps its time.
      if (shown?.play !== happening.play || placeOf(from.program, shown) >= 0) return unchanged;
      return timeIsUp(from, shown, 0, []);
    case 'late':
      return shown?.play === happening.play ? goPastLate(from) : unchanged;
    case 'again':
      return shown?.play === happening.play ? takeAgain(from, shown) : unchanged;
    case 'overdue':
      return shown?.play === happening.play ? leaveOverdue(from, shown) : unchanged;
    case 'retry-due':
      return from.retry === happening.retry ? seek({ ...from, retry: null }, []) : unchanged;
    default:
      return happening satisfies never;
  }
}

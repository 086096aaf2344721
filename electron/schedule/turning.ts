import type { Expression } from './expression.ts';
import { dayMs, type Effort, endOfTimeMs, type LocalClock, type Stretch } from './local-clock.ts';
import { type Edges, edgeAfter, holdsAt, truthOf } from './truth.ts';

/**
 * A predicate of the local clock that has not turned for three weeks turns only
 * at a date: by then every weekday came three times and no zone skips the same
 * wall-clock time of the same weekday three weeks running.
 */
const repeatsWithinMs = 22 * dayMs;

/** Truths of one predicate that are kept: those of a week, before and after a date. */
const mostKept = 16;

/** What a part of an expression takes in its code, about. */
const numbersPerPart = 6;

/** When one predicate turns. Keeps what it found out, which stays right for ever. */
export interface Turning {
  /**
   * The first instant after `fromMs` and before `limitMs` at which the predicate
   * holds when it did not, or the other way round. When the effort is used up, the
   * instant up to which nothing turns: to look again there is always right.
   * @returns Unix milliseconds, or `null` when there is no such instant
   */
  next(clock: LocalClock, fromMs: number, limitMs: number, effort: Effort): number | null;
}

export function createTurning(expression: Expression): Turning {
  const { code, dates, readsLocalClock, comparesDateWithTime } = expression;
  const kept = new Map<number, Edges>();

  /** When it holds in a stretch, on an axis whose `t` is `$TIME`. */
  const truthIn = (stretch: Stretch, effort: Effort): Edges => {
    const passed = countUpTo(dates, stretch.startMs);
    // Without a date of the predicate in between, the stretch is like every other one of its weekday.
    const alike = !comparesDateWithTime && (dates[passed] ?? Number.POSITIVE_INFINITY) >= stretch.endMs;
    const key = passed * 7 + stretch.weekday;
    const known = alike ? kept.get(key) : undefined;
    effort.left -= known === undefined ? 1 + code.length / numbersPerPart : 1;
    if (known !== undefined) return known;
    const { weekday } = stretch;
    if (!alike) return truthOf(expression, { weekday, dateRuns: true, date: stretch.startMs - stretch.startTime });
    const edges = truthOf(expression, { weekday, dateRuns: false, date: stretch.startMs });
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, edges);
    return edges;
  };

  const nextOfDates = (fromMs: number, limitMs: number): number | null => {
    const edges = kept.get(0) ?? truthOf(expression, { weekday: 0, dateRuns: true, date: 0 });
    kept.set(0, edges);
    const edge = edgeAfter(edges, fromMs);
    return edge < limitMs && edge <= endOfTimeMs ? edge : null;
  };

  const nextOfClock = (clock: LocalClock, fromMs: number, limitMs: number, effort: Effort): number | null => {
    let before: boolean | null = null;
    let quietUntilMs = fromMs + repeatsWithinMs;
    for (let atMs = fromMs; atMs < Math.min(limitMs, endOfTimeMs); ) {
      if (atMs >= quietUntilMs) {
        const jumpMs = dates[countUpTo(dates, atMs - 1)];
        if (jumpMs === undefined || jumpMs >= limitMs) return null;
        quietUntilMs = jumpMs + repeatsWithinMs;
        atMs = jumpMs;
      }
      const stretch = clock.stretch(atMs);
      const edges = truthIn(stretch, effort);
      const holds = holdsAt(edges, stretch.startTime);
      before ??= holds;
      if (holds !== before) return atMs;
      const turnMs = stretch.startMs + edgeAfter(edges, stretch.startTime) - stretch.startTime;
      if (turnMs < stretch.endMs) return turnMs < limitMs ? turnMs : null;
      if (countUpTo(dates, stretch.endMs - 1) > countUpTo(dates, stretch.startMs - 1))
        quietUntilMs = stretch.endMs + repeatsWithinMs;
      atMs = stretch.endMs;
      if (effort.left <= 0) return atMs < limitMs ? atMs : null;
    }
    return null;
  };

  return {
    next: (clock, fromMs, limitMs, effort) =>
      readsLocalClock ? nextOfClock(clock, fromMs, limitMs, effort) : nextOfDates(fromMs, limitMs),
  };
}

/** How many of ascending numbers are at most `bound`. */
function countUpTo(ascending: readonly number[], bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

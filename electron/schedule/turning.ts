import type { Expression, Operand } from './expression.ts';
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
  const { dates, readsLocalClock, comparesDateWithTime, size } = survey(expression);
  const kept = new Map<number, Edges>();

  /** When it holds in a stretch, on an axis whose `t` is `$TIME`. */
  const truthIn = (stretch: Stretch, effort: Effort): Edges => {
    const passed = countUpTo(dates, stretch.startMs);
    // Without a date of the predicate in between, the stretch is like every other one of its weekday.
    const alike = !comparesDateWithTime && (dates[passed] ?? Number.POSITIVE_INFINITY) >= stretch.endMs;
    const key = passed * 7 + stretch.weekday;
    const known = alike ? kept.get(key) : undefined;
    effort.left -= known === undefined ? size : 1;
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

/** The dates (Unix milliseconds, ascending) at which a predicate can turn, and what else its search depends on. */
function survey(expression: Expression) {
  const dates = new Set<number>();
  let readsLocalClock = false;
  let comparesDateWithTime = false;
  let size = 1;
  // A value that turns at `bound` is one thing up to it and another from the next integer on.
  const note = (operand: Operand, bounds: Iterable<number>) => {
    if (operand.type === 'int') return;
    if (operand.name !== 'date') readsLocalClock = true;
    else for (const bound of bounds) dates.add(bound).add(bound + 1);
  };
  const visit = (part: Expression): void => {
    size++;
    switch (part.type) {
      case 'constant':
        return;
      case 'not':
        visit(part.of);
        return;
      case 'and':
      case 'or':
        part.of.forEach(visit);
        return;
      case 'between':
        note(part.operand, [part.min, part.max]);
        return;
      case 'in':
        size += part.members.length;
        note(part.operand, part.members);
        return;
      case 'compare':
        note(part.left, boundsAgainst(part.right));
        note(part.right, boundsAgainst(part.left));
        comparesDateWithTime ||= [part.left, part.right].every(
          (side) => side.type === 'variable' && side.name !== 'weekday',
        );
        return;
      default:
        part satisfies never;
    }
  };
  visit(expression);
  const ascending = [...dates].filter((date) => date <= endOfTimeMs).sort((a, b) => a - b);
  return { dates: ascending, readsLocalClock, comparesDateWithTime, size };
}

/** What `$DATE` is compared with when the other side is `operand`. */
function boundsAgainst(operand: Operand): readonly number[] {
  if (operand.type === 'int') return [operand.value];
  if (operand.name === 'weekday') return [0, 1, 2, 3, 4, 5, 6];
  // $DATE and $TIME run alike, and are the same on the first local day of 1970 alone.
  return operand.name === 'time' ? [-2 * dayMs, -dayMs, 0, dayMs] : [];
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

import { type Expression, holds, type Operand } from './expression.ts';
import { dayMs, type Effort, endOfTimeMs, type LocalClock, type Stretch } from './local-clock.ts';

/**
 * Where a predicate can turn: instants, wall-clock times, and (when it reads the
 * local clock at all) the edges of every stretch.
 */
export interface TurningPoints {
  /** Unix milliseconds, ascending. */
  readonly dates: readonly number[];
  /** Wall-clock milliseconds of a day, ascending. */
  readonly times: readonly number[];
  readonly readsLocalClock: boolean;
}

/**
 * A predicate of the local clock that has not turned for three weeks turns only
 * at a date: by then every weekday came three times and no zone skips the same
 * wall-clock time of the same weekday three weeks running.
 */
const repeatsWithinMs = 22 * dayMs;

/** Collect the turning points of a predicate. */
export function turningPoints(expression: Expression): TurningPoints {
  const dates = new Set<number>();
  const times = new Set<number>();
  let readsLocalClock = false;
  // A value that turns at `bound` is one thing up to it and another from the next integer on.
  const note = (operand: Operand, bounds: Iterable<number>) => {
    if (operand.type === 'int') return;
    if (operand.name !== 'date') readsLocalClock = true;
    if (operand.name === 'weekday') return;
    const points = operand.name === 'date' ? dates : times;
    for (const bound of bounds) points.add(bound).add(bound + 1);
  };
  const visit = (part: Expression): void => {
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
        note(part.operand, part.members);
        return;
      case 'compare':
        note(part.left, boundsAgainst(part.right));
        note(part.right, boundsAgainst(part.left));
        return;
      default:
        part satisfies never;
    }
  };
  visit(expression);
  return {
    dates: ascending(dates, endOfTimeMs),
    times: ascending(times, dayMs - 1),
    readsLocalClock,
  };
}

/** What a variable is compared with when the other side is `operand`. */
function boundsAgainst(operand: Operand): readonly number[] {
  if (operand.type === 'int') return [operand.value];
  // Within a stretch $DATE and $TIME run alike, so that only a weekday, 0 … 6, is passed.
  return operand.name === 'weekday' ? [0, 1, 2, 3, 4, 5, 6] : [];
}

function ascending(points: ReadonlySet<number>, largest: number): number[] {
  return [...points].filter((point) => point <= largest).sort((a, b) => a - b);
}

/**
 * The first instant after `fromMs` and before `limitMs` at which the predicate
 * holds when it did not, or the other way round. When the effort is used up, the
 * instant up to which nothing turns: to look again there is always right.
 * @returns Unix milliseconds, or `null` when there is no such instant
 */
export function nextTurn(
  expression: Expression,
  points: TurningPoints,
  clock: LocalClock,
  fromMs: number,
  limitMs: number,
  effort: Effort,
): number | null {
  const before = holds(expression, clock.reading(fromMs));
  const cost = 1 + points.dates.length + points.times.length;
  let quietUntilMs = fromMs + repeatsWithinMs;
  let atMs = fromMs;
  while (atMs < Math.min(limitMs, endOfTimeMs)) {
    if (!points.readsLocalClock || atMs >= quietUntilMs) {
      const jumpMs = firstAfter(points.dates, atMs === fromMs ? fromMs : atMs - 1);
      if (jumpMs === undefined || jumpMs >= limitMs) return null;
      quietUntilMs = jumpMs + repeatsWithinMs;
      atMs = jumpMs;
      if (holds(expression, clock.reading(atMs)) !== before) return atMs;
    }
    const stretch = clock.stretch(atMs);
    for (const candidateMs of candidates(points, stretch, fromMs)) {
      if (candidateMs >= limitMs) return null;
      if (effort.left <= 0) return candidateMs;
      effort.left -= cost;
      const time = stretch.startTime + (candidateMs - stretch.startMs);
      if (holds(expression, { date: candidateMs, time, weekday: stretch.weekday }) !== before) return candidateMs;
    }
    if (points.dates.some((date) => date >= stretch.startMs && date < stretch.endMs))
      quietUntilMs = stretch.endMs + repeatsWithinMs;
    atMs = stretch.endMs;
  }
  return null;
}

/** Turning points within a stretch and after `fromMs`, ascending; its start is one of them. */
function candidates(points: TurningPoints, stretch: Stretch, fromMs: number): number[] {
  const within = [stretch.startMs];
  for (const time of points.times) within.push(stretch.startMs + time - stretch.startTime);
  for (const date of points.dates) within.push(date);
  return within
    .filter((atMs) => atMs > fromMs && atMs >= stretch.startMs && atMs < stretch.endMs)
    .sort((a, b) => a - b);
}

function firstAfter(ascendingPoints: readonly number[], atMs: number): number | undefined {
  return ascendingPoints.find((point) => point > atMs);
}

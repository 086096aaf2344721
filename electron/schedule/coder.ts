import { type Code, type Expression, endOf, kinds, sources } from './expression.ts';
import { dayMs, endOfTimeMs } from './local-clock.ts';

/** Writes an expression's code, part by part, and notes what the search for its next turn depends on. */
export interface Coder {
  clear(): void;
  /** Where the next part will begin. */
  next(): number;
  /** Begin a part of this kind. @returns where */
  begin(kind: number): number;
  /** One more number of the part that was begun last. */
  put(value: number): void;
  /** What was written from an index on becomes the first part of another. */
  wrap(at: number, kind: number): void;
  end(at: number): void;
  /** A part turns out to be a comparison of this kind. */
  become(at: number, kind: number): void;
  finish(): Expression;
}

/** No token is shorter than what it leaves here by more than this: "1<1" leaves six numbers. */
const numbersPerCharacter = 2;
const longestPredicate = 4_096;
const headNumbers = 2;

export function createCoder(): Coder {
  const code = new Float64Array(numbersPerCharacter * longestPredicate + headNumbers);
  let length = 0;
  let dates: number[] = [];
  let readsLocalClock = false;
  let comparesDateWithTime = false;

  /** A value that turns at `bound` is one thing up to it and another from the next integer on. */
  const turnsAt = (bound: number) => {
    // The same date in every clause is what people write.
    if (dates.at(-1) !== bound + 1 || dates.at(-2) !== bound) dates.push(bound, bound + 1);
  };
  const readsDate = (source: number | undefined): boolean => {
    if (source === sources.time || source === sources.weekday) readsLocalClock = true;
    return source === sources.date;
  };
  /** $DATE is compared with the operand at an index. */
  const boundsAgainst = (at: number) => {
    switch (code[at]) {
      case sources.literal:
        return turnsAt(code[at + 1] as number);
      case sources.weekday:
        for (let weekday = 0; weekday < 7; weekday++) turnsAt(weekday);
        return;
      case sources.time:
        // They run alike, and are the same on the first local day of 1970 alone.
        comparesDateWithTime = true;
        for (const bound of [-2 * dayMs, -dayMs, 0, dayMs]) turnsAt(bound);
        return;
      default:
        comparesDateWithTime = true;
    }
  };

  return {
    clear: () => {
      length = 0;
      dates = [];
      readsLocalClock = false;
      comparesDateWithTime = false;
    },
    next: () => length,
    begin: (kind) => {
      code[length] = kind;
      length += headNumbers;
      return length - headNumbers;
    },
    put: (value) => {
      code[length++] = value;
    },
    wrap: (at, kind) => {
      code.copyWithin(at + headNumbers, at, length);
      for (let part = at + headNumbers; part < length + headNumbers; part = endOf(code, part)) moveEnds(code, part);
      length += headNumbers;
      code[at] = kind;
    },
    end: (at) => {
      code[at + 1] = length;
    },
    become: (at, kind) => {
      code[at] = kind;
      const isDate = readsDate(code[at + 2]);
      if (kind === kinds.between || kind === kinds.in) {
        if (isDate) for (let bound = at + 4; bound < length; bound++) turnsAt(code[bound] as number);
        return;
      }
      if (isDate) boundsAgainst(at + 4);
      if (readsDate(code[at + 4])) boundsAgainst(at + 2);
      if (code[at + 2] === sources.time && code[at + 4] === sources.time) comparesDateWithTime = true;
    },
    finish: () => ({
      code: code.slice(0, length),
      dates: ascending(dates),
      readsLocalClock,
      comparesDateWithTime,
    }),
  };
}

/** The ends of a part, and of those inside it, after it was moved behind a head. */
function moveEnds(code: Code, at: number): void {
  const end = endOf(code, at) + headNumbers;
  code[at + 1] = end;
  const kind = code[at];
  if (kind === kinds.not || kind === kinds.and || kind === kinds.or)
    for (let part = at + headNumbers; part < end; part = endOf(code, part)) moveEnds(code, part);
}

/** Each once, and only what a Date can hold. */
function ascending(dates: readonly number[]): readonly number[] {
  if (dates.length <= 2) return dates.filter((date) => date <= endOfTimeMs);
  return [...new Set(dates)].filter((date) => date <= endOfTimeMs).sort((a, b) => a - b);
}

/**
 * A parsed predicate. Its tree lies in one array, each part before those that it is made of: a thousand predicates of
 * 4,000 characters are read before the first picture, and as objects they would be a million for the collector to move.
 *
 * A part is `[kind, end, …]`, where `end` is the index behind it, and then for
 * - `constant`: 1 or 0
 * - `not`, `and`, `or`: the parts
 * - `between`: operand, least, greatest
 * - `in`: operand, members
 * - comparators: left operand, right operand
 *
 * An operand is `[source, value]`.
 */
export interface Expression {
  readonly code: Code;
  /** Instants at which it may turn by its dates, Unix milliseconds, ascending. */
  readonly dates: readonly number[];
  readonly readsLocalClock: boolean;
  readonly comparesDateWithTime: boolean;
}

export type Code = Float64Array;

export const kinds = {
  constant: 0,
  not: 1,
  and: 2,
  or: 3,
  between: 4,
  in: 5,
  '=': 6,
  '<=': 7,
  '>=': 8,
  '<': 9,
  '>': 10,
} as const;

/** Where an operand's value comes from: `literal`, it is the value. */
export const sources = { literal: 0, date: 1, time: 2, weekday: 3 } as const;

/** What the variables read at one instant. */
export interface Reading {
  /** Unix milliseconds. */
  readonly date: number;
  /** Wall-clock milliseconds since local midnight, 0 … 86,399,999. */
  readonly time: number;
  /** 0 = Sunday … 6 = Saturday, local. */
  readonly weekday: number;
}

/** Whether the predicate holds for a reading. */
export function holds({ code }: Expression, reading: Reading): boolean {
  return partHolds(code, 0, reading);
}

/** @param at index of a part */
export function endOf(code: Code, at: number): number {
  return code[at + 1] as number;
}

function partHolds(code: Code, at: number, reading: Reading): boolean {
  const kind = code[at] as number;
  switch (kind) {
    case kinds.constant:
      return code[at + 2] === 1;
    case kinds.not:
      return !partHolds(code, at + 2, reading);
    case kinds.and:
    case kinds.or: {
      const decides = kind === kinds.or;
      const end = endOf(code, at);
      for (let part = at + 2; part < end; part = endOf(code, part))
        if (partHolds(code, part, reading) === decides) return decides;
      return !decides;
    }
    case kinds.between: {
      const value = read(code, at + 2, reading);
      return value >= (code[at + 4] as number) && value <= (code[at + 5] as number);
    }
    case kinds.in:
      return isMember(code, at, read(code, at + 2, reading));
    default:
      return compares(kind, read(code, at + 2, reading), read(code, at + 4, reading));
  }
}

/** @param at index of an `in` */
export function isMember(code: Code, at: number, value: number): boolean {
  const end = endOf(code, at);
  for (let member = at + 4; member < end; member++) if (code[member] === value) return true;
  return false;
}

/** @param kind of a comparator */
export function compares(kind: number, left: number, right: number): boolean {
  switch (kind) {
    case kinds['=']:
      return left === right;
    case kinds['<=']:
      return left <= right;
    case kinds['>=']:
      return left >= right;
    case kinds['<']:
      return left < right;
    default:
      return left > right;
  }
}

function read(code: Code, at: number, reading: Reading): number {
  switch (code[at]) {
    case sources.date:
      return reading.date;
    case sources.time:
      return reading.time;
    case sources.weekday:
      return reading.weekday;
    default:
      return code[at + 1] as number;
  }
}

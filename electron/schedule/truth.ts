import { type Code, compares, type Expression, endOf, isMember, kinds, sources } from './expression.ts';

/**
 * When a predicate holds, as ascending edges: it holds from the first (included) to the second (excluded), from the
 * third to the fourth, and so on. No two edges are the same.
 */
export type Edges = readonly number[];

/**
 * A piece of the time axis on which every variable is either constant or runs on at the axis' own pace. `t` is in
 * milliseconds, and `$TIME` = t.
 */
export interface Axis {
  readonly weekday: number;
  /** Whether `$DATE` = date + t, or the constant `date`: where none of the predicate's dates lies, all are alike. */
  readonly dateRuns: boolean;
  readonly date: number;
}

const never: Edges = [];
const always: Edges = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** When the predicate holds on an axis. Costs n·log n in the predicate's length. */
export function truthOf({ code }: Expression, axis: Axis): Edges {
  return partTruth(code, 0, axis);
}

function partTruth(code: Code, at: number, axis: Axis): Edges {
  const kind = code[at] as number;
  switch (kind) {
    case kinds.constant:
      return code[at + 2] === 1 ? always : never;
    case kinds.not:
      return complement(partTruth(code, at + 2, axis));
    case kinds.and:
      return combined(code, at, axis, never, always);
    case kinds.or:
      return combined(code, at, axis, always, never);
    case kinds.between: {
      const value = offsetOf(code, at + 2, axis);
      const [min, max] = [code[at + 4] as number, code[at + 5] as number];
      if (!runs(code, at + 2, axis)) return value >= min && value <= max ? always : never;
      return max < min ? never : [min - value, max - value + 1];
    }
    case kinds.in: {
      const value = offsetOf(code, at + 2, axis);
      if (!runs(code, at + 2, axis)) return isMember(code, at, value) ? always : never;
      return covered(
        Array.from(code.subarray(at + 4, endOf(code, at)), (member) => [member - value, member - value + 1]),
        1,
      );
    }
    default:
      return comparison(code, at, kind, axis);
  }
}

/**
 * All of the parts, or any of them.
 * @param decides what one part must be to decide for all
 * @param neutral what a part must be to be of no matter
 */
function combined(code: Code, at: number, axis: Axis, decides: Edges, neutral: Edges): Edges {
  let only = neutral;
  let several: Edges[] | null = null;
  const end = endOf(code, at);
  for (let part = at + 2; part < end; part = endOf(code, part)) {
    const edges = partTruth(code, part, axis);
    if (edges === decides) return decides;
    if (edges === neutral) continue;
    if (only === neutral) only = edges;
    else if (several === null) several = [only, edges];
    else several.push(edges);
  }
  return several === null ? only : covered(several, decides === never ? several.length : 1);
}

/** Whether it holds at an instant of the axis. */
export function holdsAt(edges: Edges, t: number): boolean {
  return edgesUpTo(edges, t) % 2 === 1;
}

/** The first edge after an instant of the axis. */
export function edgeAfter(edges: Edges, t: number): number {
  return edges[edgesUpTo(edges, t)] ?? Number.POSITIVE_INFINITY;
}

function edgesUpTo(edges: Edges, t: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether an operand is t + offset, or else the offset alone. */
function runs(code: Code, at: number, axis: Axis): boolean {
  const source = code[at];
  return source === sources.time || (source === sources.date && axis.dateRuns);
}

function offsetOf(code: Code, at: number, axis: Axis): number {
  switch (code[at]) {
    case sources.literal:
      return code[at + 1] as number;
    case sources.weekday:
      return axis.weekday;
    case sources.time:
      return 0;
    default:
      return axis.date;
  }
}

function comparison(code: Code, at: number, kind: number, axis: Axis): Edges {
  const [leftRuns, rightRuns] = [runs(code, at + 2, axis), runs(code, at + 4, axis)];
  const [left, right] = [offsetOf(code, at + 2, axis), offsetOf(code, at + 4, axis)];
  if (leftRuns && !rightRuns) return half(kind, right - left);
  if (!leftRuns && rightRuns) return half(mirrored(kind), left - right);
  // Both run alike or neither does: the one stays ahead of the other.
  return compares(kind, left, right) ? always : never;
}

/** The comparator that says the same with its sides changed. */
function mirrored(kind: number): number {
  switch (kind) {
    case kinds['<']:
      return kinds['>'];
    case kinds['>']:
      return kinds['<'];
    case kinds['<=']:
      return kinds['>='];
    case kinds['>=']:
      return kinds['<='];
    default:
      return kind;
  }
}

/** Where `t comparator bound` holds, for whole milliseconds. */
function half(kind: number, bound: number): Edges {
  switch (kind) {
    case kinds['=']:
      return [bound, bound + 1];
    case kinds['<']:
      return [Number.NEGATIVE_INFINITY, bound];
    case kinds['<=']:
      return [Number.NEGATIVE_INFINITY, bound + 1];
    case kinds['>=']:
      return [bound, Number.POSITIVE_INFINITY];
    default:
      return [bound + 1, Number.POSITIVE_INFINITY];
  }
}

function complement(edges: Edges): Edges {
  if (edges.length === 0) return always;
  const inner = edges.filter((edge) => Number.isFinite(edge));
  if (edges[0] !== Number.NEGATIVE_INFINITY) inner.unshift(Number.NEGATIVE_INFINITY);
  if (edges.at(-1) !== Number.POSITIVE_INFINITY) inner.push(Number.POSITIVE_INFINITY);
  return canonical(inner);
}

/** `never` and `always` are told by identity. */
function canonical(edges: Edges): Edges {
  if (edges.length === 0) return never;
  return edges.length === 2 && edges[0] === always[0] && edges[1] === always[1] ? always : edges;
}

/** Where at least so many of the parts hold, swept along from the left. */
function covered(parts: readonly Edges[], atLeast: number): Edges {
  if (parts.length === 1) return parts[0] as Edges;
  let count = 0;
  for (const part of parts) count += part.length / 2;
  const [starts, ends] = [new Float64Array(count), new Float64Array(count)];
  let filled = 0;
  let ascending = true;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 2, filled++) {
      starts[filled] = part[index] as number;
      ends[filled] = part[index + 1] as number;
      if (
        filled > 0 &&
        ((starts[filled] as number) < (starts[filled - 1] as number) ||
          (ends[filled] as number) < (ends[filled - 1] as number))
      )
        ascending = false;
    }
  }
  if (!ascending) {
    starts.sort();
    ends.sort();
  }
  const edges: number[] = [];
  let depth = 0;
  for (let [start, end] = [0, 0]; end < count; ) {
    const at = Math.min(start < count ? (starts[start] as number) : Number.POSITIVE_INFINITY, ends[end] as number);
    const before = depth >= atLeast;
    while (start < count && starts[start] === at) [start, depth] = [start + 1, depth + 1];
    while (end < count && ends[end] === at) [end, depth] = [end + 1, depth - 1];
    if (depth >= atLeast !== before) edges.push(at);
  }
  return canonical(edges);
}

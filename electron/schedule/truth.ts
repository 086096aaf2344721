import type { Comparator, Expression, Operand } from './expression.ts';

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
export function truthOf(expression: Expression, axis: Axis): Edges {
  switch (expression.type) {
    case 'constant':
      return expression.value ? always : never;
    case 'not':
      return complement(truthOf(expression.of, axis));
    case 'and':
      return combined(expression.of, axis, never, always);
    case 'or':
      return combined(expression.of, axis, always, never);
    case 'compare':
      return comparison(expression.left, expression.comparator, expression.right, axis);
    case 'between': {
      const at = offsetOf(expression.operand, axis);
      const { min, max } = expression;
      if (!runs(expression.operand, axis)) return at >= min && at <= max ? always : never;
      return max < min ? never : [min - at, max - at + 1];
    }
    case 'in': {
      const at = offsetOf(expression.operand, axis);
      if (!runs(expression.operand, axis)) return expression.members.includes(at) ? always : never;
      return covered(
        Array.from(expression.members, (member) => [member - at, member - at + 1]),
        1,
      );
    }
    default:
      return expression satisfies never;
  }
}

/**
 * All of the parts, or any of them.
 * @param decides what one part must be to decide for all
 * @param neutral what a part must be to be of no matter
 */
function combined(of: readonly Expression[], axis: Axis, decides: Edges, neutral: Edges): Edges {
  let only = neutral;
  let several: Edges[] | null = null;
  for (const part of of) {
    const edges = truthOf(part, axis);
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
function runs(operand: Operand, axis: Axis): boolean {
  return operand.type === 'variable' && (operand.name === 'time' || (operand.name === 'date' && axis.dateRuns));
}

function offsetOf(operand: Operand, axis: Axis): number {
  if (operand.type === 'int') return operand.value;
  if (operand.name === 'weekday') return axis.weekday;
  return operand.name === 'time' ? 0 : axis.date;
}

function comparison(left: Operand, comparator: Comparator, right: Operand, axis: Axis): Edges {
  const [leftRuns, rightRuns] = [runs(left, axis), runs(right, axis)];
  const ahead = offsetOf(right, axis) - offsetOf(left, axis);
  if (leftRuns && !rightRuns) return half(comparator, ahead);
  if (!leftRuns && rightRuns) return half(mirrored[comparator], -ahead);
  // Both run alike or neither does: the one stays ahead of the other.
  return holdsAt(half(comparator, ahead), 0) ? always : never;
}

const mirrored: Readonly<Record<Comparator, Comparator>> = { '=': '=', '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

/** Where `t comparator bound` holds, for whole milliseconds. */
function half(comparator: Comparator, bound: number): Edges {
  switch (comparator) {
    case '=':
      return [bound, bound + 1];
    case '<':
      return [Number.NEGATIVE_INFINITY, bound];
    case '<=':
      return [Number.NEGATIVE_INFINITY, bound + 1];
    case '>':
      return [bound + 1, Number.POSITIVE_INFINITY];
    case '>=':
      return [bound, Number.POSITIVE_INFINITY];
    default:
      return comparator satisfies never;
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

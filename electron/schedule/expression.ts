import type { Variable } from './token.ts';

export type Comparator = '=' | '<=' | '>=' | '<' | '>';

export type Operand =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'variable'; readonly name: Variable };

/** A parsed predicate. */
export type Expression =
  | { readonly type: 'constant'; readonly value: boolean }
  | { readonly type: 'not'; readonly of: Expression }
  | { readonly type: 'and' | 'or'; readonly of: readonly Expression[] }
  | {
      readonly type: 'compare';
      readonly left: Operand;
      readonly comparator: Comparator;
      readonly right: Operand;
    }
  | { readonly type: 'between'; readonly operand: Operand; readonly min: number; readonly max: number }
  | { readonly type: 'in'; readonly operand: Operand; readonly members: readonly number[] };

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
export function holds(expression: Expression, reading: Reading): boolean {
  switch (expression.type) {
    case 'constant':
      return expression.value;
    case 'not':
      return !holds(expression.of, reading);
    case 'and':
      return expression.of.every((part) => holds(part, reading));
    case 'or':
      return expression.of.some((part) => holds(part, reading));
    case 'compare':
      return compare(read(expression.left, reading), expression.comparator, read(expression.right, reading));
    case 'between': {
      const value = read(expression.operand, reading);
      return value >= expression.min && value <= expression.max;
    }
    case 'in':
      return expression.members.includes(read(expression.operand, reading));
    default:
      return expression satisfies never;
  }
}

function read(operand: Operand, reading: Reading): number {
  return operand.type === 'int' ? operand.value : reading[operand.name];
}

function compare(left: number, comparator: Comparator, right: number): boolean {
  switch (comparator) {
    case '=':
      return left === right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    default:
      return comparator satisfies never;
  }
}

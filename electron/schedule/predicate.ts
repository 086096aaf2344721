import type { Comparator, Expression, Operand } from './expression.ts';
import { Scanner, SyntaxFault, type TokenType } from './token.ts';

/** A parsed predicate, or where and why it is none. */
export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly position: number; readonly reason: string };

const deepestNesting = 32;
const mostMembers = 256;

/**
 * Parse a predicate by recursive descent over a scanner that never goes back. Time is linear in its length.
 *
 *     expr       = conj *( "OR" conj )
 *     conj       = neg *( "AND" neg )
 *     neg        = "NOT" neg / primary
 *     primary    = "(" expr ")" / "TRUE" / "FALSE" / comparison
 *     comparison = operand ( "=" / "<=" / ">=" / "<" / ">" ) operand
 *                / operand "BETWEEN" "{" int "," int "}"
 *                / operand "IN" "{" int *( "," int ) "}"
 *     operand    = int / "$DATE" / "$TIME" / "$WEEKDAY"
 */
export function parsePredicate(text: Pick<string, 'length' | 'charCodeAt'>): Parsed {
  try {
    const scanner = new Scanner(text);
    const expression = parseAlternatives(scanner, 0);
    if (scanner.type !== 'end') fail(scanner, 'expected AND, OR or the end');
    return { ok: true, expression };
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return { ok: false, position: thrown.at, reason: thrown.message };
    throw thrown;
  }
}

function fail(scanner: Scanner, reason: string): never {
  throw new SyntaxFault(scanner.at, reason);
}

function takes(scanner: Scanner, type: TokenType): boolean {
  if (scanner.type !== type) return false;
  scanner.advance();
  return true;
}

function expect(scanner: Scanner, type: TokenType): void {
  if (!takes(scanner, type)) fail(scanner, `expected ${type}`);
}

function parseAlternatives(scanner: Scanner, depth: number): Expression {
  const first = parseConjunction(scanner, depth);
  if (scanner.type !== 'OR') return first;
  const parts = [first];
  while (takes(scanner, 'OR')) parts.push(parseConjunction(scanner, depth));
  return { type: 'or', of: parts };
}

function parseConjunction(scanner: Scanner, depth: number): Expression {
  const first = parseNegation(scanner, depth);
  if (scanner.type !== 'AND') return first;
  const parts = [first];
  while (takes(scanner, 'AND')) parts.push(parseNegation(scanner, depth));
  return { type: 'and', of: parts };
}

function parseNegation(scanner: Scanner, depth: number): Expression {
  const { at } = scanner;
  if (takes(scanner, 'NOT')) return { type: 'not', of: parseNegation(scanner, deeper(depth, at)) };
  if (takes(scanner, '(')) {
    const inner = parseAlternatives(scanner, deeper(depth, at));
    expect(scanner, ')');
    return inner;
  }
  if (takes(scanner, 'TRUE')) return { type: 'constant', value: true };
  if (takes(scanner, 'FALSE')) return { type: 'constant', value: false };
  return parseComparison(scanner);
}

function deeper(depth: number, at: number): number {
  if (depth >= deepestNesting) throw new SyntaxFault(at, `nested deeper than ${deepestNesting}`);
  return depth + 1;
}

function parseComparison(scanner: Scanner): Expression {
  const left = parseOperand(scanner);
  const comparator = comparatorOf(scanner.type);
  if (comparator !== null) {
    scanner.advance();
    return { type: 'compare', left, comparator, right: parseOperand(scanner) };
  }
  if (takes(scanner, 'BETWEEN')) {
    expect(scanner, '{');
    const min = parseInteger(scanner);
    expect(scanner, ',');
    const max = parseInteger(scanner);
    expect(scanner, '}');
    return { type: 'between', operand: left, min, max };
  }
  if (takes(scanner, 'IN')) return { type: 'in', operand: left, members: parseMembers(scanner) };
  return fail(scanner, 'expected a comparison, BETWEEN or IN');
}

function comparatorOf(type: TokenType): Comparator | null {
  return type === '=' || type === '<' || type === '<=' || type === '>' || type === '>=' ? type : null;
}

function parseMembers(scanner: Scanner): readonly number[] {
  expect(scanner, '{');
  const members = [parseInteger(scanner)];
  while (takes(scanner, ',')) {
    if (members.length === mostMembers) fail(scanner, `more than ${mostMembers} list members`);
    members.push(parseInteger(scanner));
  }
  expect(scanner, '}');
  return members;
}

function parseOperand(scanner: Scanner): Operand {
  const { type } = scanner;
  if (type === 'date' || type === 'time' || type === 'weekday') {
    scanner.advance();
    return { type: 'variable', name: type };
  }
  if (type !== 'int') fail(scanner, 'expected a number or a variable');
  return { type: 'int', value: parseInteger(scanner) };
}

function parseInteger(scanner: Scanner): number {
  if (scanner.type !== 'int') return fail(scanner, 'expected a number');
  const { value } = scanner;
  scanner.advance();
  return value;
}

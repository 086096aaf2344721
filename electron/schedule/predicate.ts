import type { Comparator, Expression, Operand } from './expression.ts';
import { SyntaxFault, type Token, tokenize } from './token.ts';

/** A parsed predicate, or where and why it is none. */
export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly position: number; readonly reason: string };

const deepestNesting = 32;
const mostMembers = 256;
const comparators: ReadonlySet<string> = new Set(['=', '<=', '>=', '<', '>']);

/**
 * Parse a predicate by recursive descent. Time is linear in its length.
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
export function parsePredicate(text: string): Parsed {
  try {
    const cursor = new Cursor(tokenize(text));
    const expression = parseAlternatives(cursor, 0);
    if (cursor.token.type !== 'end') cursor.fail('expected AND, OR or the end');
    return { ok: true, expression };
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return { ok: false, position: thrown.at, reason: thrown.message };
    throw thrown;
  }
}

class Cursor {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token not yet taken; `end` for ever at the end. */
  get token(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  take(): Token {
    const { token } = this;
    this.#next++;
    return token;
  }

  takes(text: string): boolean {
    const { token } = this;
    const matches = (token.type === 'word' && token.word === text) || (token.type === 'sign' && token.sign === text);
    if (matches) this.#next++;
    return matches;
  }

  expect(text: string): void {
    if (!this.takes(text)) this.fail(`expected ${text}`);
  }

  fail(reason: string): never {
    throw new SyntaxFault(this.token.at, reason);
  }
}

function parseAlternatives(cursor: Cursor, depth: number): Expression {
  const parts = [parseConjunction(cursor, depth)];
  while (cursor.takes('OR')) parts.push(parseConjunction(cursor, depth));
  return parts.length === 1 ? (parts[0] as Expression) : { type: 'or', of: parts };
}

function parseConjunction(cursor: Cursor, depth: number): Expression {
  const parts = [parseNegation(cursor, depth)];
  while (cursor.takes('AND')) parts.push(parseNegation(cursor, depth));
  return parts.length === 1 ? (parts[0] as Expression) : { type: 'and', of: parts };
}

function parseNegation(cursor: Cursor, depth: number): Expression {
  const { at } = cursor.token;
  if (cursor.takes('NOT')) return { type: 'not', of: parseNegation(cursor, deeper(depth, at)) };
  if (cursor.takes('(')) {
    const inner = parseAlternatives(cursor, deeper(depth, at));
    cursor.expect(')');
    return inner;
  }
  if (cursor.takes('TRUE')) return { type: 'constant', value: true };
  if (cursor.takes('FALSE')) return { type: 'constant', value: false };
  return parseComparison(cursor);
}

function deeper(depth: number, at: number): number {
  if (depth >= deepestNesting) throw new SyntaxFault(at, `nested deeper than ${deepestNesting}`);
  return depth + 1;
}

function parseComparison(cursor: Cursor): Expression {
  const left = parseOperand(cursor);
  const { token } = cursor;
  if (token.type === 'sign' && comparators.has(token.sign)) {
    cursor.take();
    return { type: 'compare', left, comparator: token.sign as Comparator, right: parseOperand(cursor) };
  }
  if (cursor.takes('BETWEEN')) {
    cursor.expect('{');
    const min = parseInteger(cursor);
    cursor.expect(',');
    const max = parseInteger(cursor);
    cursor.expect('}');
    return { type: 'between', operand: left, min, max };
  }
  if (cursor.takes('IN')) return { type: 'in', operand: left, members: parseMembers(cursor) };
  return cursor.fail('expected a comparison, BETWEEN or IN');
}

function parseMembers(cursor: Cursor): ReadonlySet<number> {
  cursor.expect('{');
  const members = [parseInteger(cursor)];
  while (cursor.takes(',')) {
    if (members.length === mostMembers) cursor.fail(`more than ${mostMembers} list members`);
    members.push(parseInteger(cursor));
  }
  cursor.expect('}');
  return new Set(members);
}

function parseOperand(cursor: Cursor): Operand {
  const { token } = cursor;
  if (token.type === 'variable') {
    cursor.take();
    return { type: 'variable', name: token.name };
  }
  if (token.type !== 'int') cursor.fail('expected a number or a variable');
  return { type: 'int', value: parseInteger(cursor) };
}

function parseInteger(cursor: Cursor): number {
  const { token } = cursor;
  if (token.type !== 'int') return cursor.fail('expected a number');
  cursor.take();
  return token.value;
}

import { createCoder } from './coder.ts';
import { type Expression, kinds, sources } from './expression.ts';
import { Scanner, SyntaxFault, type TokenType } from './token.ts';

/** A parsed predicate, or where and why it is none. */
export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly position: number; readonly reason: string };

const deepestNesting = 32;
const mostMembers = 256;

/** One for all: a predicate is parsed in one go. */
const coder = createCoder();

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
    coder.clear();
    parseAlternatives(scanner, 0);
    if (scanner.type !== 'end') fail(scanner, 'expected AND, OR or the end');
    return { ok: true, expression: coder.finish() };
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

function parseAlternatives(scanner: Scanner, depth: number): void {
  const at = coder.next();
  parseConjunction(scanner, depth);
  if (scanner.type !== 'OR') return;
  coder.wrap(at, kinds.or);
  while (takes(scanner, 'OR')) parseConjunction(scanner, depth);
  coder.end(at);
}

function parseConjunction(scanner: Scanner, depth: number): void {
  const at = coder.next();
  parseNegation(scanner, depth);
  if (scanner.type !== 'AND') return;
  coder.wrap(at, kinds.and);
  while (takes(scanner, 'AND')) parseNegation(scanner, depth);
  coder.end(at);
}

function parseNegation(scanner: Scanner, depth: number): void {
  const { at } = scanner;
  if (takes(scanner, '(')) {
    parseAlternatives(scanner, deeper(depth, at));
    expect(scanner, ')');
  } else if (takes(scanner, 'NOT')) {
    const part = coder.begin(kinds.not);
    parseNegation(scanner, deeper(depth, at));
    coder.end(part);
  } else if (scanner.type === 'TRUE' || scanner.type === 'FALSE') {
    const part = coder.begin(kinds.constant);
    coder.put(scanner.type === 'TRUE' ? 1 : 0);
    coder.end(part);
    scanner.advance();
  } else parseComparison(scanner);
}

function deeper(depth: number, at: number): number {
  if (depth >= deepestNesting) throw new SyntaxFault(at, `nested deeper than ${deepestNesting}`);
  return depth + 1;
}

function parseComparison(scanner: Scanner): void {
  // What is compared with what is seen behind the operand.
  const part = coder.begin(kinds.constant);
  parseOperand(scanner);
  if (takes(scanner, 'BETWEEN')) {
    expect(scanner, '{');
    parseInteger(scanner);
    expect(scanner, ',');
    parseInteger(scanner);
    expect(scanner, '}');
    coder.become(part, kinds.between);
  } else if (takes(scanner, 'IN')) {
    parseMembers(scanner);
    coder.become(part, kinds.in);
  } else {
    const kind = comparatorOf(scanner.type);
    if (kind === null) fail(scanner, 'expected a comparison, BETWEEN or IN');
    scanner.advance();
    parseOperand(scanner);
    coder.become(part, kind);
  }
  coder.end(part);
}

function comparatorOf(type: TokenType): number | null {
  return type === '=' || type === '<' || type === '<=' || type === '>' || type === '>=' ? kinds[type] : null;
}

function parseMembers(scanner: Scanner): void {
  expect(scanner, '{');
  parseInteger(scanner);
  for (let members = 1; takes(scanner, ','); members++) {
    if (members === mostMembers) fail(scanner, `more than ${mostMembers} list members`);
    parseInteger(scanner);
  }
  expect(scanner, '}');
}

function parseOperand(scanner: Scanner): void {
  const { type } = scanner;
  if (type === 'int') {
    coder.put(sources.literal);
    parseInteger(scanner);
  } else if (type === 'date' || type === 'time' || type === 'weekday') {
    coder.put(sources[type]);
    coder.put(0);
    scanner.advance();
  } else fail(scanner, 'expected a number or a variable');
}

function parseInteger(scanner: Scanner): void {
  if (scanner.type !== 'int') fail(scanner, 'expected a number');
  coder.put(scanner.value);
  scanner.advance();
}

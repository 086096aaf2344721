/** What an operand may read; `$DATE`, `$TIME` and `$WEEKDAY` on the wire. */
export type Variable = 'date' | 'time' | 'weekday';

export type Token =
  | { readonly type: 'int'; readonly value: number; readonly at: number }
  | { readonly type: 'variable'; readonly name: Variable; readonly at: number }
  | {
      readonly type: 'word';
      readonly word: 'OR' | 'AND' | 'NOT' | 'TRUE' | 'FALSE' | 'BETWEEN' | 'IN';
      readonly at: number;
    }
  | {
      readonly type: 'sign';
      readonly sign: '(' | ')' | '{' | '}' | ',' | '=' | '<' | '<=' | '>' | '>=';
      readonly at: number;
    }
  | { readonly type: 'end'; readonly at: number };

/** What is wrong with a predicate and where. Thrown inside `schedule/` only; callers get it as a value. */
export class SyntaxFault extends Error {
  /** Index of the first character that cannot be right, from 0. */
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

const longest = 4_096;

// Sticky alternatives without repetition inside repetition: each character is looked at a bounded number of times.
const pattern = /([ \t\r\n]+)|([0-9]+)|(\$[A-Za-z]+)|([A-Za-z]+)|(<=|>=|[(){},=<>])/y;

const words = new Set(['OR', 'AND', 'NOT', 'TRUE', 'FALSE', 'BETWEEN', 'IN']);
const variables: ReadonlyMap<string, Variable> = new Map([
  ['$DATE', 'date'],
  ['$TIME', 'time'],
  ['$WEEKDAY', 'weekday'],
]);

/**
 * The tokens of a predicate, an `end` last.
 * @throws SyntaxFault
 */
export function tokenize(text: string): Token[] {
  if (text.length > longest) throw new SyntaxFault(longest, `longer than ${longest} characters`);
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new SyntaxFault(at, 'a character that no predicate has');
    const [, space, digits, variable, word, sign] = match;
    if (space !== undefined) continue;
    if (digits !== undefined) tokens.push(integer(digits, at));
    else if (variable !== undefined) tokens.push(namedVariable(variable, at));
    else if (word !== undefined) tokens.push(keyword(word, at));
    else tokens.push({ type: 'sign', sign: sign as never, at });
  }
  tokens.push({ type: 'end', at: text.length });
  return tokens;
}

function integer(digits: string, at: number): Token {
  // Rounding cannot bring a larger number down to the limit: 2^53 is itself representable.
  const value = Number(digits);
  if (value > Number.MAX_SAFE_INTEGER) throw new SyntaxFault(at, 'a number above 2^53 − 1');
  return { type: 'int', value, at };
}

function namedVariable(text: string, at: number): Token {
  const name = variables.get(text.toUpperCase());
  if (name === undefined) throw new SyntaxFault(at, 'not $DATE, $TIME or $WEEKDAY');
  return { type: 'variable', name, at };
}

function keyword(text: string, at: number): Token {
  const word = text.toUpperCase();
  if (!words.has(word)) throw new SyntaxFault(at, 'a word that the language does not have');
  return { type: 'word', word: word as never, at };
}

/** What an operand may read; `$DATE`, `$TIME` and `$WEEKDAY` on the wire. */
export type Variable = 'date' | 'time' | 'weekday';

export type Word = 'OR' | 'AND' | 'NOT' | 'TRUE' | 'FALSE' | 'BETWEEN' | 'IN';
export type Sign = '(' | ')' | '{' | '}' | ',' | '=' | '<' | '<=' | '>' | '>=';
export type TokenType = 'int' | Variable | Word | Sign | 'end';

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

/** Words by the lower-case code of their first letter, which no two share. */
const keywords: ReadonlyMap<number, Word> = byInitial(['AND', 'BETWEEN', 'FALSE', 'IN', 'NOT', 'OR', 'TRUE']);
const variables: ReadonlyMap<number, Uppercase<Variable>> = byInitial(['DATE', 'TIME', 'WEEKDAY']);

function byInitial<W extends string>(words: readonly W[]): ReadonlyMap<number, W> {
  return new Map(words.map((word) => [word.charCodeAt(0) | 0x20, word]));
}

/** The bit that upper and lower case of a Latin letter differ in. */
const caseBit = 0x20;
const [tab, lineFeed, carriageReturn, space, zero, nine, dollar, equals] = [
  0x09, 0x0a, 0x0d, 0x20, 0x30, 0x39, 0x24, 0x3d,
];
const signs: ReadonlyMap<number, Sign> = new Map(
  (['(', ')', '{', '}', ',', '=', '<', '>'] as const).map((sign) => [sign.charCodeAt(0), sign]),
);

/**
 * Reads a predicate token by token and never goes back: each character is looked at a bounded number of times,
 * whatever the text. The text is asked for `length` and `charCodeAt` alone.
 */
export class Scanner {
  readonly #text: Pick<string, 'length' | 'charCodeAt'>;
  #next = 0;
  /** The present token. */
  type: TokenType = 'end';
  /** Index of its first character. */
  at = 0;
  /** Of an `int`. */
  value = 0;

  /** Stands at the first token. @throws SyntaxFault */
  constructor(text: Pick<string, 'length' | 'charCodeAt'>) {
    if (text.length > longest) throw new SyntaxFault(longest, `longer than ${longest} characters`);
    this.#text = text;
    this.advance();
  }

  /** Go on to the next token; `end` for ever at the end. @throws SyntaxFault */
  advance(): void {
    const { length } = this.#text;
    let code = space;
    while (this.#next < length) {
      code = this.#text.charCodeAt(this.#next);
      if (!isSpace(code)) break;
      this.#next++;
    }
    this.at = this.#next;
    if (this.at === length) this.type = 'end';
    else if (isDigit(code)) this.#integer(code);
    else if (isLetter(code)) this.type = this.#name(this.at, code, keywords, 'a word that the language does not have');
    else if (code === dollar) this.#variable();
    else this.type = this.#sign(code);
  }

  #integer(first: number): void {
    let value = first - zero;
    while (++this.#next < this.#text.length) {
      const code = this.#text.charCodeAt(this.#next);
      if (!isDigit(code)) break;
      // Rounding cannot bring a larger number down to the limit: 2^53 is itself representable.
      value = value * 10 + (code - zero);
    }
    if (value > Number.MAX_SAFE_INTEGER) throw new SyntaxFault(this.at, 'a number above 2^53 − 1');
    this.type = 'int';
    this.value = value;
  }

  #variable(): void {
    const from = this.at + 1;
    const code = from < this.#text.length ? this.#text.charCodeAt(from) : 0;
    // A dollar sign by itself belongs to no word: the sign cannot be right.
    if (!isLetter(code)) throw new SyntaxFault(this.at, 'a character that no predicate has');
    const name = this.#name(from, code, variables, 'not $DATE, $TIME or $WEEKDAY');
    this.type = name === 'DATE' ? 'date' : name === 'TIME' ? 'time' : 'weekday';
  }

  /** The letters from an index on as one of the words known by their first letter. */
  #name<W extends string>(from: number, first: number, known: ReadonlyMap<number, W>, fault: string): W {
    let end = from + 1;
    while (end < this.#text.length && isLetter(this.#text.charCodeAt(end))) end++;
    const word = known.get(first | caseBit);
    if (word?.length !== end - from || !this.#reads(word, from)) throw new SyntaxFault(this.at, fault);
    this.#next = end;
    return word;
  }

  #reads(word: string, from: number): boolean {
    for (let index = 1; index < word.length; index++)
      if ((this.#text.charCodeAt(from + index) & ~caseBit) !== word.charCodeAt(index)) return false;
    return true;
  }

  #sign(code: number): Sign {
    const sign = signs.get(code);
    if (sign === undefined) throw new SyntaxFault(this.at, 'a character that no predicate has');
    this.#next++;
    if (sign !== '<' && sign !== '>') return sign;
    if (this.#next === this.#text.length || this.#text.charCodeAt(this.#next) !== equals) return sign;
    this.#next++;
    return sign === '<' ? '<=' : '>=';
  }
}

function isSpace(code: number): boolean {
  return code === space || code === lineFeed || code === tab || code === carriageReturn;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= nine;
}

function isLetter(code: number): boolean {
  const lower = code | caseBit;
  return lower >= 0x61 && lower <= 0x7a;
}

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

/** The bit that upper and lower case of a Latin letter differ in. */
const caseBit = 0x20;
const [zero, equals] = [0x30, 0x3d];
const tableLength = 0x80;

/** What a character may be the beginning of; 0: of nothing. */
const [spaceClass, digitClass, letterClass, dollarClass, signClass] = [1, 2, 3, 4, 5];
const classes = new Uint8Array(tableLength);
const signs: (Sign | undefined)[] = Array.from({ length: tableLength });
for (const character of ' \t\r\n') classes[character.charCodeAt(0)] = spaceClass;
for (const character of '0123456789') classes[character.charCodeAt(0)] = digitClass;
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
  classes[character.charCodeAt(0)] = letterClass;
classes['$'.charCodeAt(0)] = dollarClass;
for (const sign of ['(', ')', '{', '}', ',', '=', '<', '>'] as const) {
  classes[sign.charCodeAt(0)] = signClass;
  signs[sign.charCodeAt(0)] = sign;
}

/** Words by the lower-case code of their first letter, which no two share. */
const keywords = byInitial(['AND', 'BETWEEN', 'FALSE', 'IN', 'NOT', 'OR', 'TRUE'] as const);
const variables = byInitial(['DATE', 'TIME', 'WEEKDAY'] as const);

function byInitial<W extends string>(words: readonly W[]): readonly (W | undefined)[] {
  const table: (W | undefined)[] = Array.from({ length: tableLength });
  for (const word of words) table[word.charCodeAt(0) | caseBit] = word;
  return table;
}

/** Reads a predicate token by token and never goes back. The text is asked for `length` and `charCodeAt` alone. */
export class Scanner {
  readonly #text: Pick<string, 'length' | 'charCodeAt'>;
  readonly #length: number;
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
    this.#length = text.length;
    this.advance();
  }

  /** Go on to the next token; `end` for ever at the end. @throws SyntaxFault */
  advance(): void {
    const text = this.#text;
    const length = this.#length;
    let next = this.#next;
    let code = 0;
    let is = spaceClass;
    while (next < length) {
      code = text.charCodeAt(next);
      is = code < tableLength ? (classes[code] as number) : 0;
      if (is !== spaceClass) break;
      next++;
    }
    this.at = next;
    switch (is) {
      case spaceClass:
        this.#next = next;
        this.type = 'end';
        return;
      case digitClass: {
        let value = code - zero;
        while (++next < length) {
          const digit = text.charCodeAt(next) - zero;
          if (!(digit >= 0 && digit <= 9)) break;
          // Rounding cannot bring a larger number down to the limit: 2^53 is itself representable.
          value = value * 10 + digit;
        }
        if (value > Number.MAX_SAFE_INTEGER) throw new SyntaxFault(this.at, 'a number above 2^53 − 1');
        this.#next = next;
        this.type = 'int';
        this.value = value;
        return;
      }
      case letterClass:
        this.type = this.#word(next, code, keywords, 'a word that the language does not have');
        return;
      case dollarClass:
        this.#variable(next + 1);
        return;
      case signClass: {
        const sign = signs[code] as Sign;
        this.#next = next + 1;
        const isLonger = (sign === '<' || sign === '>') && next + 1 < length && text.charCodeAt(next + 1) === equals;
        if (isLonger) this.#next = next + 2;
        this.type = isLonger ? (sign === '<' ? '<=' : '>=') : sign;
        return;
      }
      default:
        throw new SyntaxFault(next, 'a character that no predicate has');
    }
  }

  #variable(from: number): void {
    const code = from < this.#length ? this.#text.charCodeAt(from) : 0;
    // A dollar sign by itself belongs to no word: the sign cannot be right.
    if (!isLetter(code)) throw new SyntaxFault(this.at, 'a character that no predicate has');
    const name = this.#word(from, code, variables, 'not $DATE, $TIME or $WEEKDAY');
    this.type = name === 'DATE' ? 'date' : name === 'TIME' ? 'time' : 'weekday';
  }

  /** The letters from an index on as one of the words known by their first letter. */
  #word<W extends string>(from: number, first: number, known: readonly (W | undefined)[], fault: string): W {
    const text = this.#text;
    const length = this.#length;
    const word = known[first | caseBit];
    let end = from + 1;
    let isSame = word !== undefined;
    for (; end < length; end++) {
      const code = text.charCodeAt(end);
      if (!isLetter(code)) break;
      // Past its end a word has no letter: NaN is none either.
      if (isSame) isSame = (code & ~caseBit) === (word as W).charCodeAt(end - from);
    }
    if (word === undefined || !isSame || word.length !== end - from) throw new SyntaxFault(this.at, fault);
    this.#next = end;
    return word;
  }
}

function isLetter(code: number): boolean {
  return code < tableLength && classes[code] === letterClass;
}

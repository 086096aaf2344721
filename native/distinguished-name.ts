import { encode, tags } from './der.ts';
import { TssError } from './error.ts';

/** ASN.1 tags of strings and of SET (X.690). */
const strings = { utf8: 0x0c, printable: 0x13, ia5: 0x16 } as const;
const SET = 0x31;

interface AttributeType {
  /** Contents of the OBJECT IDENTIFIER. */
  readonly oid: string;
  readonly string: keyof typeof strings;
  /** Upper bound in characters (RFC 5280 appendix A.1). */
  readonly limit: number;
}

/** Short names of RFC 4514 §3, and serialNumber, which devices like to carry. */
const types: Readonly<Record<string, AttributeType>> = {
  CN: { oid: '550403', string: 'utf8', limit: 64 },
  SERIALNUMBER: { oid: '550405', string: 'printable', limit: 64 },
  C: { oid: '550406', string: 'printable', limit: 2 },
  L: { oid: '550407', string: 'utf8', limit: 128 },
  ST: { oid: '550408', string: 'utf8', limit: 128 },
  O: { oid: '55040a', string: 'utf8', limit: 64 },
  OU: { oid: '55040b', string: 'utf8', limit: 64 },
  DC: { oid: '0992268993f22c640119', string: 'ia5', limit: 63 },
};

const alphabets: Readonly<Record<keyof typeof strings, RegExp>> = {
  utf8: /^[^\p{Cc}]+$/u,
  printable: /^[A-Za-z0-9 '()+,\-./:=?]+$/,
  ia5: /^[\x20-\x7e]+$/,
};

const MAX_CHARACTERS = 1024;
const VALUE_TOKEN = /\\[0-9a-fA-F]{2}|\\[ "#+,;<=>\\]|[^\\"+,;<>\p{Cc}]/gu;
const PART = new RegExp(`([A-Za-z]+)\\s*=\\s*((?:${VALUE_TOKEN.source})*)(,\\s*|$)`, 'uy');

function refused(why: string): TssError {
  return new TssError('ARGUMENT_INVALID', `the subject is not usable: ${why}`);
}

/**
 * A Name (RFC 5280 §4.1.2.4), DER, from its string of RFC 4514, which begins with the most specific part:
 * `CN=screen-7,O=Example\, Inc.,C=CH`. Spaces behind a comma are skipped. Refused: multi-valued parts (`+`),
 * `#` hexadecimal values, types other than CN, SERIALNUMBER, C, L, ST, O, OU and DC.
 * @throws TssError ARGUMENT_INVALID
 */
export function encodeName(text: string): Buffer {
  if (text.length > MAX_CHARACTERS) throw refused(`longer than ${MAX_CHARACTERS} characters`);
  const parts: Buffer[] = [];
  const part = new RegExp(PART);
  for (let more = true; more; ) {
    const at = part.lastIndex;
    const match = part.exec(text);
    if (match === null)
      throw refused(`"${text.slice(at, at + 32)}" is not TYPE=value; write it as in CN=screen,O=Example`);
    const [, type = '', value = '', comma] = match;
    parts.push(encodePart(type, decodeValue(value)));
    more = comma !== '';
  }
  // The string is written backwards (RFC 4514 §2.1).
  return encode(tags.sequence, ...parts.reverse());
}

function decodeValue(text: string): string {
  if (text.startsWith('#')) throw refused('hexadecimal values (#) are not supported');
  const tokens = text.match(VALUE_TOKEN) ?? [];
  while (tokens.at(-1) === ' ') tokens.pop();
  const bytes = tokens.map((token) => {
    if (!token.startsWith('\\')) return Buffer.from(token);
    return token.length === 3 ? Buffer.from(token.slice(1), 'hex') : Buffer.from(token.slice(1));
  });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    throw refused('an escaped value is not UTF-8');
  }
}

function encodePart(name: string, value: string): Buffer {
  const type = types[name.toUpperCase()];
  if (type === undefined) throw refused(`${name} is none of ${Object.keys(types).join(', ')}`);
  if (!alphabets[type.string].test(value))
    throw refused(`${name} is empty or has characters that are not allowed there`);
  if ([...value].length > type.limit) throw refused(`${name} is longer than ${type.limit} characters`);
  const text = encode(strings[type.string], Buffer.from(value));
  return encode(SET, encode(tags.sequence, encode(tags.oid, Buffer.from(type.oid, 'hex')), text));
}

import { TssError } from './error.ts';

/** A tag and its contents. */
export interface Element {
  readonly tag: number;
  readonly contents: Buffer;
}

/** ASN.1 tags (X.690) that key files use. `[n] EXPLICIT` is 0xa0 + n. */
export const tags = { boolean: 0x01, integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30, explicit: 0xa0 } as const;

/** DER that is not what it must be. */
export function malformed(what: string): TssError {
  return new TssError('KEY_INVALID', `the key file does not parse: ${what}`);
}

/**
 * The elements that fill `bytes` to the last one. Strict: definite lengths in their shortest form, nothing beyond
 * the end, no high tag numbers.
 * @param limit how many elements there may be
 * @throws TssError KEY_INVALID
 */
export function elements(bytes: Buffer, limit: number): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (found.length === limit) throw malformed('too many elements');
    const tag = bytes.readUInt8(at);
    if ((tag & 0x1f) === 0x1f) throw malformed('a high tag number');
    const { length, headerBytes } = readLength(bytes, at + 1);
    const start = at + 1 + headerBytes;
    if (length > bytes.length - start) throw malformed('a length beyond the end');
    found.push({ tag, contents: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function readLength(bytes: Buffer, at: number): { length: number; headerBytes: number } {
  const first = bytes[at];
  if (first === undefined) throw malformed('a missing length');
  if (first < 0x80) return { length: first, headerBytes: 1 };
  const count = first & 0x7f;
  // Two bytes reach 65,535: far more than a key file may hold.
  if (count === 0 || count > 2 || at + 1 + count > bytes.length) throw malformed('a length out of range');
  const length = bytes.readUIntBE(at + 1, count);
  if (length < 0x80 || (count === 2 && length < 0x100)) throw malformed('a length not in its shortest form');
  return { length, headerBytes: 1 + count };
}

/** The one element that fills `bytes`, of this tag. @throws TssError KEY_INVALID */
export function only(bytes: Buffer, tag: number, what: string): Buffer {
  const [element, ...rest] = elements(bytes, 1);
  if (element === undefined || element.tag !== tag || rest.length > 0) throw malformed(what);
  return element.contents;
}

/** An element in DER. */
export function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), contents]);
}

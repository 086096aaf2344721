/** Attributes of a tag (RFC 8216 §4.2), the quotes of their values taken off. */
export type Attributes = ReadonlyMap<string, string>;

/** Read from the beginning up to what is no attribute: sought anywhere, a long line of quotes would take for ever. */
export function attributesOf(text: string): Attributes {
  const found = new Map<string, string>();
  for (const [, name = '', inQuotes, bare] of text.matchAll(/\s*([A-Z0-9-]{1,64})=(?:"([^"]*)"|([^",]*))(?:,|$)/gy))
    if (!found.has(name)) found.set(name, (inQuotes ?? bare ?? '').trim());
  return found;
}

/** A whole number, 0 where it is none: what is wrong is then found by whoever plays it. */
export function whole(text: string): number {
  return /^\d{1,15}$/.test(text.trim()) ? Number(text) : 0;
}

/** A decimal number, such as a segment's seconds. */
export function ratio(text: string): number {
  return /^\d{1,9}(?:\.\d{1,20})?$/.test(text.trim()) ? Number(Number(text).toFixed(6)) : 0;
}

export function resolution(text: string | undefined): readonly [width: number, height: number] | null {
  const [, width, height] = /^(\d{1,9})x(\d{1,9})$/i.exec(text ?? '') ?? [];
  return width === undefined ? null : [Number(width), Number(height)];
}

/** An initialisation vector as RFC 8216 writes it; `null`: the segment's number is meant. */
export function hex128(text: string | undefined): string | null {
  return /^0x[0-9a-f]{1,32}$/i.test(text ?? '') ? (text ?? null) : null;
}

/** A point in time, written anew; none where it is not one. */
export function moment(text: string): readonly string[] {
  const at = /^[0-9TZ:.+-]{10,40}$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? [] : [new Date(at).toISOString()];
}

/** `NAME="value"` where the value is as it may be. */
export function token(name: string, attributes: Attributes, may: RegExp): readonly string[] {
  const value = attributes.get(name);
  return value !== undefined && may.test(value) ? [`${name}="${value}"`] : [];
}

/** A name that lines refer to each other by: any text, so written as the hex of its characters. */
export function quoted(name: string, attributes: Attributes): readonly string[] {
  const value = attributes.get(name);
  if (value === undefined) return [];
  return [`${name}="${Buffer.from(value.slice(0, 64), 'utf8').toString('hex')}"`];
}

const longestUrl = 8_192;
const mostHeaders = 32;
const longestHeaderValue = 4_096;

/** A checked value, or the reason why there is none. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/**
 * An address that media or a web page may be fetched from: https, or http from
 * an origin allowed by name, and never with a user or password in it.
 * @param allowHttpFor origins such as `http://media.lan`
 */
export function checkAddress(text: string, allowHttpFor: readonly string[]): Checked<string> {
  if (text.length > longestUrl) return refusal(`longer than ${longestUrl} characters`);
  // The URL parser drops tabs and line feeds and trims spaces: what it would hide is refused instead.
  if (/[^\x21-\x7e]/.test(text)) return refusal('must be printable ASCII without spaces');
  const url = parseUrl(text);
  if (url === null) return refusal('not an absolute URL');
  const plain = url.protocol === 'http:' && allowHttpFor.includes(url.origin);
  if (url.protocol !== 'https:' && !plain)
    return refusal('must be https (http only from origins that the settings allow by name)');
  if (url.username !== '' || url.password !== '') return refusal('must not carry a user or password');
  return { ok: true, value: url.href };
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Names that the transport owns, or that would let a document speak for the player (RFC 9110 §7, Fetch §2.2.2). */
const forbidden = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'cookie2',
  'date',
  'expect',
  'host',
  'if-match',
  'if-none-match',
  'if-range',
  'keep-alive',
  'origin',
  'range',
  'referer',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  '__proto__',
]);

const noHeaders = { ok: true, value: {} } as const;

/** Request headers of an asset: few, short, printable, and none that the transport owns. Names come out in lower case. */
export function checkHeaders(raw: object): Checked<Readonly<Record<string, string>>> {
  const entries = Object.entries(raw);
  if (entries.length === 0) return noHeaders;
  if (entries.length > mostHeaders) return refusal(`more than ${mostHeaders} headers`);
  const headers: Record<string, string> = Object.create(null);
  for (const [index, [rawName, value]] of entries.entries()) {
    const name = rawName.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/.test(name)) return refusal(`header ${index}: not a header name`);
    if (forbidden.has(name) || /^(proxy|sec)-/.test(name)) return refusal(`header ${index}: ${name} is not allowed`);
    if (name in headers) return refusal(`header ${index}: ${name} is there twice`);
    if (typeof value !== 'string') return refusal(`header ${index}: must be a string`);
    if (value.length > longestHeaderValue)
      return refusal(`header ${index}: longer than ${longestHeaderValue} characters`);
    if (/[^\x20-\x7e]/.test(value)) return refusal(`header ${index}: must be printable ASCII`);
    headers[name] = value;
  }
  return { ok: true, value: { ...headers } };
}

function refusal(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

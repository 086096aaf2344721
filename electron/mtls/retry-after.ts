/** A server that asks for more is asked again after this long all the same. */
const longestMs = 3_600_000;

/**
 * The pause that a Retry-After header asks for (RFC 9110 §10.2.3): seconds or an HTTP date.
 * @param nowMs Unix milliseconds
 * @returns milliseconds, 0 … 1 h; `undefined` when there is none that can be read
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Math.min(longestMs, Number(text) * 1_000);
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.min(longestMs, Math.max(0, atMs - nowMs));
}

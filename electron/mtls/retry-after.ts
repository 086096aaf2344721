/** A server that asks for more is asked again after this long all the same. */
const longestMs = 3_600_000;

/**
 * The pause that a reply's Retry-After asks for (RFC 9110 §10.2.3): seconds, or an HTTP date by the clock that the reply
 * was dated with, for ours may be wrong.
 * @param header reads a header of the reply
 * @param nowMs Unix milliseconds; counts where the reply has no date of its own
 * @returns milliseconds, 0 … 1 h; `undefined` when there is none that can be read
 */
export function retryAfterMs(header: (name: string) => string | undefined, nowMs: number): number | undefined {
  const text = header('retry-after')?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Math.min(longestMs, Number(text) * 1_000);
  const atMs = httpDate(text);
  if (atMs === undefined) return undefined;
  return Math.min(longestMs, Math.max(0, atMs - (httpDate(header('date')?.trim() ?? '') ?? nowMs)));
}

/** @returns Unix milliseconds */
function httpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** The longest wait of a browser timer; a longer one fires at once (it is a signed 32-bit number). */
const longestMs = 2 ** 31 - 1;

/**
 * Calls back once after `ms` milliseconds, however many; an infinite wait never ends.
 * The returned function cancels.
 */
export function after(ms: number, callback: () => void): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => {};
  let timer: ReturnType<typeof setTimeout>;
  const wait = (leftMs: number) => {
    const nowMs = Math.min(leftMs, longestMs);
    timer = setTimeout(() => (leftMs > nowMs ? wait(leftMs - nowMs) : callback()), nowMs);
  };
  // A browser cuts off what a wait has beyond whole milliseconds (HTML, timers: a `long`), and so would fire early.
  wait(Math.max(0, Math.ceil(ms)));
  return () => clearTimeout(timer);
}

/** Resolves when the frame after the next one begins: what was changed before is on the display by then. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  });
}

/** Which files the disk gave back as something else, again and again: they are not fetched without end. */
export interface Spoiling {
  /** A file was found damaged. @param keys what it is wanted by: its digest, and what it is recorded under */
  add(keys: Iterable<string>): void;
  /** How often lately, and milliseconds until it may be fetched again; 0: at once. */
  of(key: string): { readonly times: number; readonly pauseMs: number };
}

/** A sector that fails, or a hand that interferes, is not there the next time. */
const timesWithoutPause = 2;
const firstPauseMs = 60_000;
const pauseFactor = 4;
/** A strict playlist with such a file waits for it as long. */
const longestPauseMs = 60 * 60_000;
const forgottenAfterMs = 24 * 60 * 60_000;

/** @param now Unix milliseconds; a clock that was set back ends the pauses */
export function createSpoiling(now: () => number): Spoiling {
  const spoiled = new Map<string, { readonly times: number; readonly atMs: number }>();
  const recent = (key: string) => {
    const found = spoiled.get(key);
    const agoMs = now() - (found?.atMs ?? 0);
    return found !== undefined && agoMs >= 0 && agoMs < forgottenAfterMs ? { ...found, agoMs } : null;
  };
  return {
    add: (keys) => {
      for (const key of spoiled.keys()) if (recent(key) === null) spoiled.delete(key);
      for (const key of keys) spoiled.set(key, { times: (recent(key)?.times ?? 0) + 1, atMs: now() });
    },
    of: (key) => {
      const { times, agoMs } = recent(key) ?? { times: 0, agoMs: 0 };
      if (times <= timesWithoutPause) return { times, pauseMs: 0 };
      const pauseMs = firstPauseMs * pauseFactor ** (times - timesWithoutPause - 1);
      return { times, pauseMs: Math.max(0, Math.min(pauseMs, longestPauseMs) - agoMs) };
    },
  };
}

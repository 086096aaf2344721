/** So many files of one origin, none having come in between: it is the server that is busy, not a file. */
const mostInARow = 4;
/** Addresses that are remembered; signed ones change with every playlist. */
const mostRemembered = 1_000;

/** The files, and the origins, that asked to be left alone (Retry-After), and for how long. */
export interface Rests {
  /** Milliseconds before which the file must not be asked for; 0 when it may be. */
  leftMs(url: string): number;
  /** Whether its server asked for a pause when it was last asked for this file. */
  hasAsked(url: string): boolean;
  /** The server answered with a wish for a pause, milliseconds, instead of the file. */
  refused(url: string, pauseMs: number): void;
  /** The file comes. */
  answered(url: string): void;
}

/** @param now monotonic milliseconds */
export function createRests(now: () => number): Rests {
  const untilMs = new Map<string, number>();
  const inARow = new Map<string, number>();
  const left = (key: string) => Math.max(0, (untilMs.get(key) ?? 0) - now());
  const rest = (key: string, pauseMs: number) => {
    // The latest last: the first one is the longest known.
    untilMs.delete(key);
    untilMs.set(key, now() + pauseMs);
    const [oldest] = untilMs.keys();
    if (untilMs.size > mostRemembered && oldest !== undefined) untilMs.delete(oldest);
  };
  return {
    leftMs: (url) => Math.max(left(url), left(new URL(url).origin)),
    hasAsked: (url) => untilMs.has(url),
    refused: (url, pauseMs) => {
      const { origin } = new URL(url);
      const count = (inARow.get(origin) ?? 0) + 1;
      inARow.delete(origin);
      rest(url, pauseMs);
      if (count >= mostInARow) rest(origin, pauseMs);
      else inARow.set(origin, count);
    },
    answered: (url) => {
      untilMs.delete(url);
      inARow.delete(new URL(url).origin);
    },
  };
}

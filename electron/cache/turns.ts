/** One download that waits for its turn. */
export interface Wish {
  /** Downloads of one origin share its turns: a slow one does not hold up the others. */
  readonly origin: string;
  /** `null`: unknown, counted as large. */
  readonly sizeBytes: number | null;
}

export interface TurnLimits {
  /** Downloads at once. */
  readonly total: number;
  /** Of one origin, while others wait. */
  readonly perOrigin: number;
  /** Of large files, while small ones wait: at least one turn is never theirs. */
  readonly large: number;
  readonly largeBytes: number;
}

export const turnLimits: TurnLimits = { total: 6, perOrigin: 4, large: 3, largeBytes: 32 * 2 ** 20 };

/** Shares a few downloads at once between origins, and between large and small files; first come, first served otherwise. */
export interface Turns {
  /**
   * Resolves when it is this download's turn.
   * @returns gives the turn back; may be called again
   * @throws when `signal` aborts
   */
  take(wish: Wish, signal: AbortSignal): Promise<() => void>;
}

interface Waiting extends Wish {
  readonly isLarge: boolean;
  start(): void;
}

export function createTurns(limits: TurnLimits = turnLimits): Turns {
  const waiting = new Set<Waiting>();
  const running = new Set<Waiting>();
  /** Origins by when they were last given a turn, the longest ago first. */
  const origins = new Map<string, true>();

  const count = (of: (one: Waiting) => boolean) => [...running].filter(of).length;
  const next = (): Waiting | undefined => {
    if (running.size >= limits.total) return undefined;
    const largeRunning = count(({ isLarge }) => isLarge);
    for (const origin of origins.keys()) {
      const mine = [...waiting].filter((one) => one.origin === origin);
      if (mine.length === 0) {
        if (count((one) => one.origin === origin) === 0) origins.delete(origin);
        continue;
      }
      if (count((one) => one.origin === origin) >= limits.perOrigin) continue;
      // A turn kept for small files is kept although none of them waits: the next one may come in a moment.
      const chosen = mine.find(({ isLarge }) => !isLarge || largeRunning < limits.large);
      if (chosen !== undefined) return chosen;
    }
    return undefined;
  };
  const fill = () => {
    for (let chosen = next(); chosen !== undefined; chosen = next()) {
      waiting.delete(chosen);
      running.add(chosen);
      origins.delete(chosen.origin);
      origins.set(chosen.origin, true);
      chosen.start();
    }
  };
  return {
    take: (wish, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const isLarge = wish.sizeBytes === null || wish.sizeBytes > limits.largeBytes;
        const abort = () => {
          waiting.delete(entry);
          reject(signal.reason);
        };
        const entry: Waiting = {
          ...wish,
          isLarge,
          start: () => {
            signal.removeEventListener('abort', abort);
            resolve(() => {
              if (running.delete(entry)) fill();
            });
          },
        };
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(entry);
        if (!origins.has(wish.origin)) origins.set(wish.origin, true);
        fill();
      }),
  };
}

/** One download that waits for its turn. */
export interface Wish {
  /** Downloads of one origin share its turns: a slow one does not hold up the others. */
  readonly origin: string;
  /** `null`: unknown, counted as large. */
  readonly sizeBytes: number | null;
}

export interface TurnLimits {
  /** Downloads at once; more only where an origin has fewer than are assured to it. */
  readonly total: number;
  /** Of one origin. */
  readonly perOrigin: number;
  /** Of one origin, however many others there are: those that stand still must not hold up the rest. */
  readonly assured: number;
  /** Of large files, but for one of each origin: small ones go past them. */
  readonly large: number;
  readonly largeBytes: number;
}

export const turnLimits: TurnLimits = { total: 6, perOrigin: 4, assured: 2, large: 3, largeBytes: 32 * 2 ** 20 };

/**
 * Shares downloads between origins in turn, and between large and small files; first come, first served otherwise.
 * Whoever waits bounds how many origins there are: each has turns of its own.
 */
export interface Turns {
  /**
   * Resolves when it is this download's turn.
   * @returns gives the turn back; may be called again
   * @throws when `signal` aborts
   */
  take(wish: Wish, signal: AbortSignal): Promise<() => void>;
  /** Whether downloads of this origin wait for their turn. */
  isWaitedFor(origin: string): boolean;
}

interface Waiting {
  readonly isLarge: boolean;
  start(): void;
}

interface Origin {
  readonly waiting: Set<Waiting>;
  readonly running: Set<Waiting>;
}

export function createTurns(limits: TurnLimits = turnLimits): Turns {
  /** Those that wait or have a turn, by when they were last given one, the longest ago first. */
  const origins = new Map<string, Origin>();
  let [running, largeRunning] = [0, 0];

  const next = ({ waiting, running: mine }: Origin): Waiting | undefined => {
    if (mine.size >= limits.perOrigin || (running >= limits.total && mine.size >= limits.assured)) return undefined;
    // A turn kept for small files is kept although none of them waits: the next one may come in a moment.
    const mayBeLarge = largeRunning < limits.large || ![...mine].some(({ isLarge }) => isLarge);
    for (const one of waiting) if (mayBeLarge || !one.isLarge) return one;
    return undefined;
  };
  const startOne = (): boolean => {
    for (const [name, origin] of origins) {
      const chosen = next(origin);
      if (chosen === undefined) continue;
      origin.waiting.delete(chosen);
      origin.running.add(chosen);
      running++;
      if (chosen.isLarge) largeRunning++;
      origins.delete(name);
      origins.set(name, origin);
      chosen.start();
      return true;
    }
    return false;
  };
  const fill = () => {
    while (startOne());
  };
  const forgetIdle = (name: string, { waiting, running: mine }: Origin) => {
    if (waiting.size + mine.size === 0) origins.delete(name);
  };
  return {
    take: ({ origin: name, sizeBytes }, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const isLarge = sizeBytes === null || sizeBytes > limits.largeBytes;
        const origin = origins.get(name) ?? { waiting: new Set(), running: new Set() };
        origins.set(name, origin);
        const abort = () => {
          origin.waiting.delete(entry);
          forgetIdle(name, origin);
          reject(signal.reason);
        };
        const entry: Waiting = {
          isLarge,
          start: () => {
            signal.removeEventListener('abort', abort);
            resolve(() => {
              if (!origin.running.delete(entry)) return;
              running--;
              if (isLarge) largeRunning--;
              forgetIdle(name, origin);
              fill();
            });
          },
        };
        signal.addEventListener('abort', abort, { once: true });
        origin.waiting.add(entry);
        fill();
      }),
    isWaitedFor: (name) => (origins.get(name)?.waiting.size ?? 0) > 0,
  };
}

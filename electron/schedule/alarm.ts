/** What an alarm needs from the world. */
export interface AlarmPorts {
  /** Unix milliseconds; may jump. */
  wallMs(): number;
  /** Milliseconds that only grow, from any origin; may stand still in suspend. */
  monotonicMs(): number;
  /** Call back once after a delay of at most `longestStepMs`; the result takes the call back. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Why it rings: the instant has come, or the clock was set and the schedule must be looked at again. */
export type Ring = 'due' | 'clock-jumped';

/**
 * How soon a clock that was set is noticed: nothing tells a program of it, so that it has to look. Far below the
 * 2^31−1 ms above which Node's timers fire at once.
 */
export const longestStepMs = 1_000;

const toleratedDriftMs = 500;

/** One alarm on the wall clock. It watches for clock jumps also when no instant is set. */
export interface Alarm {
  /** Ring at an instant (Unix milliseconds) instead of the one before; `null`: at no instant. */
  set(atMs: number | null): void;
  stop(): void;
}

/** @param ring may call `set` */
export function createAlarm(ports: AlarmPorts, ring: (why: Ring) => void): Alarm {
  let dueMs: number | null = null;
  let cancel = () => {};
  let stopped = false;

  const arm = () => {
    cancel();
    if (stopped) return;
    const [wallMs, monotonicMs] = [ports.wallMs(), ports.monotonicMs()];
    const untilDueMs = dueMs === null ? longestStepMs : dueMs - wallMs;
    const delayMs = Math.min(longestStepMs, Math.max(0, Math.ceil(untilDueMs)));
    cancel = ports.after(delayMs, () => wake(wallMs, monotonicMs));
  };

  const wake = (wallThenMs: number, monotonicThenMs: number) => {
    const wallMs = ports.wallMs();
    const drift = wallMs - wallThenMs - (ports.monotonicMs() - monotonicThenMs);
    const jumped = Math.abs(drift) > toleratedDriftMs;
    const due = dueMs !== null && wallMs >= dueMs;
    if (due) dueMs = null;
    arm();
    if (jumped || due) ring(jumped ? 'clock-jumped' : 'due');
  };

  arm();
  return {
    set: (atMs) => {
      dueMs = atMs;
      arm();
    },
    stop: () => {
      stopped = true;
      cancel();
    },
  };
}

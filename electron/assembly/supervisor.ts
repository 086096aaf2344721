import type { PlaybackReport, Snapshot } from '../ipc/contract.ts';
import type { Log } from '../log.ts';
import { beaten, reported, type Standstill, standstill, told, unseen } from '../shell/progress.ts';

/** How often main looks whether its own timers come in time. */
const tickMs = 500;

/** What the service manager is told by. */
export interface Supervisor {
  beat(itemId: string | null): void;
  report(report: PlaybackReport): void;
}

export interface SupervisorParts {
  /** NOTIFY_SOCKET and WATCHDOG_USEC as systemd sets them, if it does; taken out, so that no child has them. */
  readonly env: NodeJS.ProcessEnv;
  current(): Snapshot;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  readonly log: Log;
}

/**
 * Tell the service manager (sd_notify(3)) when the display lives for the first time, in which state it is, and, three
 * times in its watchdog's period, that what is to be seen makes progress. Without one there is nobody to be told.
 */
export function openSupervisor({ env, current, monotonicMs, log }: SupervisorParts): Supervisor {
  const socket = env['NOTIFY_SOCKET'];
  const periodMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1_000;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || socket === '') return { beat: () => undefined, report: () => undefined };

  let display = unseen;
  let state: string | null = null;
  let withheld: Standstill | null = null;
  let tickedMs = monotonicMs();
  let fedMs = 0;
  // Only here: without a service manager the addon is not needed before the first picture.
  const addon = import('node-tss');
  const tell = (text: string) =>
    void addon
      .then(({ notify }) => notify(socket, text))
      .catch((thrown: unknown) => log.failure('supervisor-not-told', thrown));
  const feed = (lagMs: number, nowMs: number) => {
    const reason = standstill(display, current(), lagMs, nowMs);
    if (reason !== withheld && reason !== null) log.warn('watchdog-withheld', { reason });
    withheld = reason;
    if (reason === null) tell('WATCHDOG=1');
  };
  setInterval(() => {
    const nowMs = monotonicMs();
    const lagMs = nowMs - tickedMs - tickMs;
    tickedMs = nowMs;
    display = told(display, current(), nowMs);
    // Until the first heartbeat the start itself has a deadline (TimeoutStartSec).
    if (state === null) return;
    if (state !== current().state) {
      state = current().state;
      tell(`STATUS=${state}`);
    }
    if (!(periodMs > 0) || nowMs - fedMs < periodMs / 3) return;
    fedMs = nowMs;
    feed(lagMs, nowMs);
  }, tickMs);
  return {
    beat: (itemId) => {
      const nowMs = monotonicMs();
      display = beaten(told(display, current(), nowMs), itemId, nowMs);
      if (state !== null) return;
      state = current().state;
      tell(`READY=1\nSTATUS=${state}`);
    },
    report: ({ itemId, outcome }) => {
      const nowMs = monotonicMs();
      display = reported(told(display, current(), nowMs), itemId, outcome, nowMs);
    },
  };
}

import { asPlayerError, type PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SyncOutcome } from './sync.ts';

/** A change that no push tells of is found within a minute, the reply included; no two screens ask in step. */
const longestPollMs = 58_000;
const pollJitter = 0.15;
/** The players that a server sent away together come back spread over half of what it asked for. */
const retrySpread = 0.5;
/** A deadline that is always a moment away must not make the loop spin. */
const shortestPollMs = 1_000;
const suspendedPollMs = 5 * 60_000;
/**
 * A sync that broke off after so much had come has found a network that works in part, and goes on where it ended. Less
 * may be what every try at a server that fails brings.
 */
const leastProgressBytes = 256 * 1024;
/**
 * It is tried again as after so many failures, however many went before. Not as after none: when a server goes away,
 * the downloads of all its screens break off in the same instant, and they come back spread over 16 s.
 */
const attemptAfterProgress = 4;
/**
 * After so many failures the server was away for long, and by then its screens come back spread over half a minute:
 * what else waits for it need not wait on its own. After a restart it must, for all wait since the same instant.
 */
const attemptsOfLongAbsence = 6;

export interface LoopPorts {
  sync(): Promise<SyncOutcome>;
  /** Bytes of media that came and are kept, since the program started. */
  keptBytes(): number;
  /** Resolves after `ms`, at once when poked; rejects when aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Pause after failure number `attempt` (0 …), milliseconds. */
  backoff(attempt: number): number;
  /** 0 ≤ random < 1 */
  random(): number;
  now(): number;
  /** The server refuses the screen, or takes it back. */
  suspended(is: boolean): Promise<void>;
  /** The server, or the way to it, has come back after a long absence: a sync has succeeded. */
  isBack(): void;
  /** A fault that the operator should see, `null` when over. */
  report(problem: unknown | null): void;
  readonly log: Log;
}

/**
 * Sync again and again: at a push (a poke ends the wait), every 49 … 58 s, at
 * the playlist's deadline, after failures with back-off (begun anew where media came forward) and never before the
 * server's Retry-After.
 * @returns when the server says that the screen was removed
 * @throws when `signal` aborts
 */
export async function runSyncLoop(ports: LoopPorts, signal: AbortSignal): Promise<'removed'> {
  let attempt = 0;
  let deadlineMs: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    let pauseMs: number;
    const keptBytes = ports.keptBytes();
    try {
      const outcome = await ports.sync();
      if (attempt >= attemptsOfLongAbsence) ports.isBack();
      attempt = 0;
      ports.report(null);
      if (outcome.type === 'removed') return 'removed';
      await ports.suspended(outcome.type === 'suspended');
      if (outcome.type === 'published') {
        ({ deadlineMs } = outcome);
        ports.log.info('playlist-published', { version: outcome.version });
      }
      pauseMs = outcome.type === 'suspended' ? suspendedPollMs : nextPollMs(ports, deadlineMs);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = asPlayerError(thrown);
      ports.log.failure('sync-failed', error, { attempt });
      ports.report(error);
      if (ports.keptBytes() - keptBytes >= leastProgressBytes) attempt = attemptAfterProgress;
      pauseMs = pauseAfter(error, ports.backoff(attempt++), ports.random());
    }
    await ports.wait(pauseMs, signal);
  }
}

function nextPollMs(ports: LoopPorts, deadlineMs: number | null): number {
  const poll = longestPollMs * (1 - pollJitter * ports.random());
  const untilDeadline = deadlineMs === null ? Number.POSITIVE_INFINITY : deadlineMs - ports.now();
  return untilDeadline > 0 ? Math.max(shortestPollMs, Math.min(poll, untilDeadline)) : poll;
}

function pauseAfter(error: PlayerError, backoffMs: number, random: number): number {
  if (error.retryAfterMs === undefined) return backoffMs;
  return Math.max(backoffMs, spreadOut(error.retryAfterMs, random));
}

/** @returns a pause of no less than was asked for, milliseconds */
export function spreadOut(askedMs: number, random: number): number {
  return askedMs * (1 + retrySpread * random);
}

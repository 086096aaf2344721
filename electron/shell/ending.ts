import type { App } from 'electron';
import { asPlayerError, type PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';

/** sysexits(3): what only a person can mend, and what a restart may mend. */
const exitConfig = 78;
const exitSoftware = 70;
const longestStopMs = 3_000;

/** The three ways in which the player ends. */
export interface Ending {
  /** Aborted by SIGTERM, SIGINT or SIGHUP: a clean end. */
  readonly stop: AbortSignal;
  /** Say why on stderr and exit; the supervisor restarts what a restart can mend. */
  fail(thrown: unknown): void;
  /** Everything that was to be closed is closed. */
  finish(): void;
}

/** Exit with the reason on stderr. */
export function leave(app: Pick<App, 'exit'>, error: PlayerError): void {
  process.stderr.write(`signet-player: ${error.code}: ${error.message}\n`);
  app.exit(error.recovery === 'operator' ? exitConfig : exitSoftware);
}

/** Take over signals and what nobody caught. */
export function watchEnding(app: App, log: Log): Ending {
  const stop = new AbortController();
  const fail = (thrown: unknown) => {
    if (stop.signal.aborted) return;
    const error = asPlayerError(thrown);
    log.failure('player-failed', error);
    leave(app, error);
  };
  // Chromium takes SIGTERM, SIGINT and SIGHUP for itself once it is ready, and asks to quit.
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (stop.signal.aborted) return;
    log.info('player-stopping');
    stop.abort();
    // A call that hangs must not hold up the end; the addon frees the TPM's slots at exit all the same.
    setTimeout(() => app.exit(0), longestStopMs);
  });
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return { stop: stop.signal, fail, finish: () => app.exit(0) };
}

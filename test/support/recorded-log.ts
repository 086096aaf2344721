import { createLog, type Level, type Log } from '../../electron/log.ts';

/** The player's own log, its lines kept for a test to read. */
export function recordedLog(level: Level = 'debug'): {
  readonly log: Log;
  readonly lines: string[];
  /** Names of the events so far, in order. */
  events(): string[];
} {
  const lines: string[] = [];
  const log = createLog(
    (line) => lines.push(line),
    level,
    () => 0,
  );
  return { log, lines, events: () => lines.map((line) => JSON.parse(line).event) };
}

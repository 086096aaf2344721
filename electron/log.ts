import type { ErrorCode } from './errors.ts';
import { PlayerError } from './errors.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * Everything that may be logged. A field that is not here does not compile and,
 * should it arrive all the same, is not written. PINs, tickets, tokens, headers,
 * PEM texts and address queries are left out on purpose.
 */
export interface LogFields {
  readonly assetId?: string;
  readonly attempt?: number;
  readonly bytes?: number;
  readonly code?: ErrorCode | string;
  readonly count?: number;
  readonly file?: string;
  readonly fingerprint?: string;
  readonly hash?: string;
  readonly itemId?: string;
  readonly keyProtection?: string;
  readonly message?: string;
  readonly notAfterMs?: number;
  readonly origin?: string;
  readonly outcome?: string;
  readonly rc?: number;
  readonly reason?: string;
  readonly screenId?: string;
  readonly state?: string;
  readonly status?: number;
  readonly version?: number | string;
  readonly waitMs?: number;
}

const allowed: Readonly<Record<keyof LogFields, true>> = {
  assetId: true,
  attempt: true,
  bytes: true,
  code: true,
  count: true,
  file: true,
  fingerprint: true,
  hash: true,
  itemId: true,
  keyProtection: true,
  message: true,
  notAfterMs: true,
  origin: true,
  outcome: true,
  rc: true,
  reason: true,
  screenId: true,
  state: true,
  status: true,
  version: true,
  waitMs: true,
};

/** Structured log lines: one JSON object a line. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A caught error with its code, message and the messages of its causes. */
  failure(event: string, thrown: unknown, fields?: LogFields): void;
}

const rank: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const longest = 2_000;

/**
 * @param write takes one line without its line feed
 * @param level the least level that is written
 * @param now Unix milliseconds
 */
export function createLog(write: (line: string) => void, level: Level, now: () => number): Log {
  const line = (lineLevel: Level, event: string, fields: LogFields = {}) => {
    if (rank[lineLevel] < rank[level]) return;
    const record: Record<string, unknown> = { time: new Date(now()).toISOString(), level: lineLevel, event };
    for (const [name, value] of Object.entries(fields)) {
      if (!Object.hasOwn(allowed, name) || value === undefined) continue;
      record[name] = typeof value === 'string' ? value.slice(0, longest) : value;
    }
    write(JSON.stringify(record));
  };
  return {
    debug: (event, fields) => line('debug', event, fields),
    info: (event, fields) => line('info', event, fields),
    warn: (event, fields) => line('warn', event, fields),
    error: (event, fields) => line('error', event, fields),
    failure: (event, thrown, fields) => {
      const code = thrown instanceof PlayerError ? thrown.code : 'INTERNAL';
      line('warn', event, { ...fields, code, message: messageChain(thrown) });
    },
  };
}

function messageChain(thrown: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = thrown; at instanceof Error && parts.length < 5; at = at.cause) parts.push(messageOf(at));
  return parts.length > 0 ? parts.join(' <- ') : String(thrown);
}

/** JSON.parse quotes the text that it could not read, and that text may hold a PIN or a ticket. */
function messageOf(error: Error): string {
  return error instanceof SyntaxError ? error.name : error.message;
}

/**
 * A log for what others can make happen as often as they like: at most so many lines in so many milliseconds, and one
 * that says that more were left out.
 * @param nowMs a steady clock
 */
export function limitedLog(
  log: Pick<Log, 'warn'>,
  most: number,
  perMs: number,
  nowMs: () => number,
): Pick<Log, 'warn'> {
  let beganMs = nowMs();
  let lines = 0;
  return {
    warn: (event, fields) => {
      if (nowMs() - beganMs >= perMs) {
        beganMs = nowMs();
        lines = 0;
      }
      lines += 1;
      if (lines <= most) log.warn(event, fields);
      else if (lines === most + 1) log.warn('log-limited', { reason: event });
    },
  };
}

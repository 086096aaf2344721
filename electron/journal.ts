import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from './atomic-file.ts';
import type { Log } from './log.ts';

/** What may happen to the identity of a screen. */
export type IdentityEvent =
  | 'key-created'
  | 'key-lost'
  | 'registration-opened'
  | 'registered'
  | 'registration-refused'
  | 'suspended'
  | 'restored'
  | 'removed'
  | 'identity-lost'
  | 'certificate-stored'
  | 'certificate-refused'
  | 'certificate-expired'
  | 'clock-wrong'
  | 're-enrolled'
  | 'rekeyed'
  | 'rekey-failed'
  | 'root-announced'
  | 'root-withdrawn';

/** Beside the event; fingerprints are SHA-256 in hex. Nothing in it is secret, and there is no place for what is. */
export interface IdentityDetails {
  /** Of the device key's SubjectPublicKeyInfo. */
  readonly key?: string;
  /** Of a certificate, DER. */
  readonly certificate?: string;
  readonly notAfter?: string;
  /** A code, or a word of a closed set. */
  readonly reason?: string;
  readonly hardware?: string;
}

export interface IdentityEntry extends IdentityDetails {
  /** By the device's own clock, RFC 3339. */
  readonly time: string;
  readonly event: string;
}

/** The append-only journal of the identity. */
export interface Journal {
  /** Resolves once the line is on the disk, or could not be written: a full disk must not stop the identity. */
  write(event: IdentityEvent, details?: IdentityDetails): Promise<void>;
}

/** A file that is longer gives way to a new one; one before it is kept. */
const longestBytes = 128 * 1024;
const detailNames = ['key', 'certificate', 'notAfter', 'reason', 'hardware'] as const;
const longestDetail = 128;

const journalFile = (directory: string) => join(directory, 'identity-journal.jsonl');

/** @param now Unix milliseconds */
export function openJournal(directory: string, now: () => number, log: Pick<Log, 'failure'>): Journal {
  const file = journalFile(directory);
  // One line after the other: two appends never mix, and the order is that of the calls.
  let last: Promise<void> = Promise.resolve();
  return {
    write(event, details = {}) {
      const entry: Record<string, string> = { time: new Date(now()).toISOString(), event };
      for (const name of detailNames) {
        const value = details[name];
        if (value !== undefined) entry[name] = value.slice(0, longestDetail);
      }
      last = last
        .then(() => append(file, `${JSON.stringify(entry)}\n`))
        .catch((thrown: unknown) => log.failure('identity-journal-failed', thrown));
      return last;
    },
  };
}

async function append(file: string, line: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > longestBytes) await rename(file, `${file}.1`);
  const handle = await open(file, 'a+', 0o600);
  try {
    // What a power cut has left half written must not take the next line with it.
    await handle.appendFile((await endsWithinLine(handle)) ? `\n${line}` : line);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  if (size === 0 || size > longestBytes) await syncFolder(dirname(file));
}

async function endsWithinLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString('latin1') !== '\n';
}

/**
 * The latest entries, oldest first. What a power cut has left half written is passed over.
 * @param most how many at most
 */
export async function readJournal(directory: string, most: number): Promise<readonly IdentityEntry[]> {
  const file = journalFile(directory);
  const texts = await Promise.all([`${file}.1`, file].map((name) => readFile(name, 'utf8').catch(() => '')));
  return texts.join('\n').split('\n').flatMap(entryOf).slice(-most);
}

function entryOf(line: string): IdentityEntry[] {
  try {
    const read = JSON.parse(line) as Record<string, unknown>;
    const { time, event } = read;
    if (typeof time !== 'string' || !Number.isFinite(Date.parse(time)) || typeof event !== 'string') return [];
    if (!/^[a-z-]{1,64}$/.test(event)) return [];
    const details = detailNames.flatMap((name) => {
      const value = read[name];
      return typeof value === 'string' && /^[\x20-\x7e]{0,128}$/.test(value) ? [[name, value] as const] : [];
    });
    return [{ time, event, ...Object.fromEntries(details) }];
  } catch {
    return [];
  }
}

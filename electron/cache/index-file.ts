import { createHash } from 'node:crypto';
import * as z from 'zod';
import { writeAtomic } from '../atomic-file.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import { type ChunkDigests, digestsLength } from './chunks.ts';
import { isAbsent, isOfTheFile } from './failure.ts';
import type { Files } from './folders.ts';
import { type MediaFormat, mediaFormats, mediaHash } from './media.ts';

/** What is known of one stored file. */
export interface IndexEntry {
  readonly format: MediaFormat;
  readonly sizeBytes: number;
  readonly chunks: ChunkDigests;
  /** Unix milliseconds of the last lease; decides what is evicted first. */
  readonly lastUsedMs: number;
  /** Unix milliseconds; when all of it was last compared with its digests. */
  readonly verifiedMs: number;
}

/** What the store knows: the only way from a hash to a file. */
export interface Index {
  readonly media: Map<MediaHash, IndexEntry>;
  /** `recordKey` → hash, for assets whose playlist gives no digest. Those used longest ago come first. */
  readonly recorded: Map<string, MediaHash>;
}

const header = z.strictObject({
  version: z.literal(2),
  /** Of the document: one flipped bit in a chunk's digest would send a good file to quarantine. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

interface Document {
  readonly media: readonly (Omit<IndexEntry, 'chunks'> & {
    readonly hash: string;
    /** Base64. */
    readonly chunks: string;
  })[];
  readonly recorded: readonly { readonly key: string; readonly hash: string }[];
}

export function emptyIndex(): Index {
  return { media: new Map(), recorded: new Map() };
}

/**
 * The index as it was last written; `absent` and `damaged`, also where the disk fails at it, are to be rebuilt from the
 * files themselves.
 * @throws the file system's own error when something else is at fault
 */
export async function readIndex(path: string, files: Files): Promise<Index | 'absent' | 'damaged'> {
  let text: string;
  try {
    text = await files.readFile(path, 'utf8');
  } catch (thrown) {
    if (isAbsent(thrown)) return 'absent';
    if (isOfTheFile(thrown)) return 'damaged';
    throw thrown;
  }
  const end = text.indexOf('\n');
  const document = text.slice(end + 1);
  const first = header.safeParse(parseJson(text.slice(0, Math.max(0, end))));
  if (!first.success || digest(document) !== first.data.sha256) return 'damaged';
  return readDocument(parseJson(document)) ?? 'damaged';
}

/**
 * Every field of every entry, looked at one by one: a start waits for it, and there may be tens of thousands.
 * @returns `null` where one is not as it must be
 */
function readDocument(document: unknown): Index | null {
  const { media, recorded } = (document ?? {}) as { readonly [name in keyof Document]?: unknown };
  if (!hasFields(document, 2) || !Array.isArray(media) || !Array.isArray(recorded)) return null;
  const index = emptyIndex();
  for (const value of media) {
    if (!hasFields(value, 6)) return null;
    const { hash, format, sizeBytes, chunks, lastUsedMs, verifiedMs } = value;
    const name = typeof hash === 'string' ? mediaHash(hash) : null;
    if (name === null || !isFormat(format) || !isMoment(lastUsedMs) || !isMoment(verifiedMs)) return null;
    if (!Number.isSafeInteger(sizeBytes) || (sizeBytes as number) <= 0 || typeof chunks !== 'string') return null;
    const entry = { format, sizeBytes: sizeBytes as number, chunks: bytesOf(chunks), lastUsedMs, verifiedMs };
    if (entry.chunks.length !== digestsLength(entry.sizeBytes)) return null;
    index.media.set(name, entry);
  }
  for (const value of recorded) {
    if (!hasFields(value, 2)) return null;
    const { key, hash } = value;
    const name = typeof hash === 'string' ? mediaHash(hash) : null;
    if (name === null || typeof key !== 'string' || mediaHash(key) === null) return null;
    index.recorded.set(key, name);
  }
  return index;
}

/** Whether it is an object of so many fields: there are none but those that are read. */
function hasFields(value: unknown, count: number): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).length === count;
}

const noBytes = Buffer.alloc(0);

function bytesOf(base64: string): Buffer {
  return base64 === '' ? noBytes : Buffer.from(base64, 'base64');
}

function isFormat(value: unknown): value is MediaFormat {
  return (mediaFormats as readonly unknown[]).includes(value);
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** @throws the file system's own error */
export async function writeIndex(path: string, index: Index, files: Files): Promise<void> {
  const document: Document = {
    media: [...index.media].map(([hash, { chunks, ...entry }]) => ({
      hash,
      ...entry,
      chunks: chunks.toString('base64'),
    })),
    recorded: [...index.recorded].map(([key, hash]) => ({ key, hash })),
  };
  const text = `${JSON.stringify(document)}\n`;
  const first: z.input<typeof header> = { version: 2, sha256: digest(text) };
  await writeAtomic(path, `${JSON.stringify(first)}\n${text}`, 0o600, files);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

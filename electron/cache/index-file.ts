import { createHash } from 'node:crypto';
import * as z from 'zod';
import { writeAtomic } from '../atomic-file.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import { type ChunkDigests, digestsLength } from './chunks.ts';
import { isAbsent } from './failure.ts';
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
  /** Digest of asset id and address → hash, for assets whose playlist gives no digest. */
  readonly recorded: Map<string, MediaHash>;
}

const hash = z.string().transform((text, context): MediaHash => {
  const checked = mediaHash(text);
  if (checked !== null) return checked;
  context.addIssue({ code: 'custom', message: 'not a hash' });
  return z.NEVER;
});

const header = z.strictObject({
  version: z.literal(2),
  /** Of the document: one flipped bit in a chunk's digest would send a good file to quarantine. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const moment = z.number().nonnegative();

const schema = z.strictObject({
  media: z.array(
    z
      .strictObject({
        hash,
        format: z.enum(mediaFormats),
        sizeBytes: z.int().positive(),
        /** Base64. */
        chunks: z.string().transform((text) => Buffer.from(text, 'base64')),
        lastUsedMs: moment,
        verifiedMs: moment,
      })
      .refine(({ chunks, sizeBytes }) => chunks.length === digestsLength(sizeBytes)),
  ),
  recorded: z.array(z.strictObject({ key: z.string().regex(/^[0-9a-f]{64}$/), hash })),
});

export function emptyIndex(): Index {
  return { media: new Map(), recorded: new Map() };
}

/** The index as it was last written; `absent` and `damaged` are to be rebuilt from the files themselves. */
export async function readIndex(path: string, files: Files): Promise<Index | 'absent' | 'damaged'> {
  let text: string;
  try {
    text = await files.readFile(path, 'utf8');
  } catch (thrown) {
    if (isAbsent(thrown)) return 'absent';
    throw thrown;
  }
  const end = text.indexOf('\n');
  const document = text.slice(end + 1);
  const first = header.safeParse(parseJson(text.slice(0, Math.max(0, end))));
  if (!first.success || digest(document) !== first.data.sha256) return 'damaged';
  const parsed = schema.safeParse(parseJson(document));
  if (!parsed.success) return 'damaged';
  const { media, recorded } = parsed.data;
  return {
    media: new Map(media.map(({ hash, ...entry }) => [hash, entry])),
    recorded: new Map(recorded.map(({ key, hash }) => [key, hash])),
  };
}

/** @throws the file system's own error */
export async function writeIndex(path: string, index: Index, files: Files): Promise<void> {
  const document: z.input<typeof schema> = {
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

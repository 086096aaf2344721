import * as z from 'zod';
import { writeAtomic } from '../atomic-file.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import { isAbsent } from './failure.ts';
import type { Files } from './folders.ts';
import { type MediaFormat, mediaFormats, mediaHash } from './media.ts';

/** What is known of one stored file. */
export interface IndexEntry {
  readonly format: MediaFormat;
  readonly sizeBytes: number;
  /** Unix milliseconds of the last lease; decides what is evicted first. */
  readonly lastUsedMs: number;
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

const schema = z.strictObject({
  version: z.literal(1),
  media: z.array(
    z.strictObject({
      hash,
      format: z.enum(mediaFormats),
      sizeBytes: z.int().positive(),
      lastUsedMs: z.number().nonnegative(),
    }),
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
  const parsed = schema.safeParse(parseJson(text));
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
    version: 1,
    media: [...index.media].map(([hash, entry]) => ({ hash, ...entry })),
    recorded: [...index.recorded].map(([key, hash]) => ({ key, hash })),
  };
  await writeAtomic(path, `${JSON.stringify(document)}\n`, 0o600, files);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { syncFolder, writeAtomic } from '../atomic-file.ts';
import { guardStore, isAbsent, isOfTheFile } from './failure.ts';

/** The playlist document that last played, as it came over the wire. */
export interface LastGood {
  readonly text: string;
  readonly etag: string | undefined;
}

/** What is on the disk. A damaged document counts as none, and is reported. */
export type Kept =
  | { readonly found: 'document'; readonly lastGood: LastGood }
  | { readonly found: 'nothing' }
  | { readonly found: 'damaged'; readonly reason: string };

/** Keeps one document over restarts. All methods throw PlayerError STORE_FULL or STORE_FAILED. */
export interface LastGoodFile {
  /** On the disk before it resolves, and not written again where it is; a failed write leaves the one before. */
  keep(lastGood: LastGood): Promise<void>;
  read(): Promise<Kept>;
  forget(): Promise<void>;
}

const header = z.strictObject({
  version: z.literal(1),
  /** Of the document's UTF-8 bytes: a digest against bad disks, not against people. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  etag: z.string().max(1_024).nullable(),
});

const longestBytes = 17 * 2 ** 20;

/**
 * Tag and document share one file, a header line and the document, so that no
 * crash can leave the tag of one with the text of another.
 * @param path absolute
 */
export function createLastGoodFile(path: string): LastGoodFile {
  /** The header of what is on the disk, as far as it is known to be there whole. */
  let written: string | null = null;
  const setAside = async (reason: string): Promise<Kept> => {
    // Where the disk does not let it go the next document takes its place.
    await rename(path, join(dirname(path), `${basename(path)}.damaged`)).catch(() => undefined);
    await syncFolder(dirname(path)).catch(() => undefined);
    return { found: 'damaged', reason };
  };
  return {
    keep: ({ text, etag }) =>
      guardStore('keeping the playlist', async () => {
        const first: z.input<typeof header> = { version: 1, sha256: digest(text), etag: etag ?? null };
        const line = JSON.stringify(first);
        // A server without entity tags sends the same document every minute: that must not wear the disk.
        if (line === written && (await isThere(path))) return;
        written = null;
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeAtomic(path, `${line}\n${text}`);
        written = line;
      }),
    read: () =>
      guardStore('reading the playlist', async () => {
        written = null;
        let content: string;
        try {
          if ((await stat(path)).size > longestBytes) return await setAside('too long');
          content = await readFile(path, 'utf8');
        } catch (thrown) {
          if (isAbsent(thrown)) return { found: 'nothing' };
          if (isOfTheFile(thrown)) return setAside((thrown as NodeJS.ErrnoException).code ?? 'unreadable');
          throw thrown;
        }
        const end = content.indexOf('\n');
        const first = header.safeParse(parseJson(content.slice(0, Math.max(0, end))));
        if (!first.success) return setAside('no header');
        const text = content.slice(end + 1);
        if (digest(text) !== first.data.sha256) return setAside('digest');
        written = JSON.stringify(first.data);
        return { found: 'document', lastGood: { text, etag: first.data.etag ?? undefined } };
      }),
    forget: () =>
      guardStore('forgetting the playlist', async () => {
        written = null;
        await rm(path, { force: true });
        await rm(join(dirname(path), `${basename(path)}.damaged`), { force: true });
        await syncFolder(dirname(path)).catch((thrown) => {
          if (!isAbsent(thrown)) throw thrown;
        });
      }),
  };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

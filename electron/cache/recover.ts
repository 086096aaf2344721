import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { MediaHash } from '../playlist/playlist.ts';
import { chunkBytes, createDigests, isChunk } from './chunks.ts';
import type { CommitPorts } from './commit.ts';
import { isAbsent, isOfTheFile } from './failure.ts';
import type { IndexEntry } from './index-file.ts';
import { byteSource, digestFile, readAt } from './source.ts';

export type ProofPorts = Pick<CommitPorts, 'recognize' | 'folders' | 'files'>;

/** What a stored file turned out to be. `unreadable`: the disk fails at it (EIO), or it is no file at all. */
export type Proof =
  | ({ readonly is: 'whole' } & Pick<IndexEntry, 'format' | 'sizeBytes' | 'chunks'>)
  | { readonly is: 'absent' | 'damaged' | 'unreadable' };

/** Whether a stored file is what its name says, and of what kind: all of it is read. */
export function prove(hash: MediaHash, { folders, files, recognize }: ProofPorts): Promise<Proof> {
  return looking(folders.media(hash), files, async (file) => {
    const { size: sizeBytes } = await file.stat();
    const digests = createDigests(false);
    await digestFile(file, sizeBytes, digests);
    const { sha256, chunks } = digests.finish();
    if (sha256 !== hash) return { is: 'damaged' };
    const recognition = await recognize(byteSource(file, sizeBytes));
    return recognition.ok ? { is: 'whole', format: recognition.format, sizeBytes, chunks } : { is: 'damaged' };
  });
}

type ComparePorts = Pick<ProofPorts, 'folders' | 'files'>;

/**
 * Compare a file with the digests of its chunks, one after the other, so that it takes little at a time.
 * @param pace awaited before so many bytes are read
 * @returns also the chunk that ended it
 */
export async function compare(
  hash: MediaHash,
  entry: IndexEntry,
  { folders, files }: ComparePorts,
  pace: (bytes: number) => Promise<void>,
): Promise<{ readonly is: Proof['is']; readonly chunk: number }> {
  let chunk = 0;
  const { is } = await looking(folders.media(hash), files, async (file): Promise<{ readonly is: Proof['is'] }> => {
    if ((await file.stat()).size !== entry.sizeBytes) return { is: 'damaged' };
    for (; chunk * chunkBytes < entry.sizeBytes; chunk++) {
      await pace(Math.min(chunkBytes, entry.sizeBytes - chunk * chunkBytes));
      if (!(await isAsKnown(file, hash, entry, chunk))) return { is: 'damaged' };
    }
    return { is: 'whole' };
  });
  return { is, chunk };
}

/** The same for one chunk. */
export function compareChunk(
  hash: MediaHash,
  entry: IndexEntry,
  chunk: number,
  { folders, files }: ComparePorts,
): Promise<{ readonly is: Proof['is'] }> {
  return looking(folders.media(hash), files, async (file) => ({
    is: (await isAsKnown(file, hash, entry, chunk)) ? 'whole' : 'damaged',
  }));
}

async function isAsKnown(file: FileHandle, hash: MediaHash, entry: IndexEntry, chunk: number): Promise<boolean> {
  const start = chunk * chunkBytes;
  return isChunk(await readAt(file, start, Math.min(chunkBytes, entry.sizeBytes - start)), chunk, hash, entry.chunks);
}

async function looking<T>(
  path: string,
  files: ProofPorts['files'],
  look: (file: FileHandle) => Promise<T>,
): Promise<T | { readonly is: 'absent' | 'unreadable' }> {
  try {
    const file = await files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await look(file);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (isAbsent(thrown)) return { is: 'absent' };
    if (isOfTheFile(thrown)) return { is: 'unreadable' };
    throw thrown;
  }
}

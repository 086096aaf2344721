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

/**
 * Compare a file with the digests of its chunks, one after the other, so that it takes little at a time.
 * @param pace awaited before so many bytes are read
 */
export function compare(
  hash: MediaHash,
  entry: IndexEntry,
  { folders, files }: Pick<ProofPorts, 'folders' | 'files'>,
  pace: (bytes: number) => Promise<void>,
): Promise<{ readonly is: Proof['is'] }> {
  return looking(folders.media(hash), files, async (file) => {
    if ((await file.stat()).size !== entry.sizeBytes) return { is: 'damaged' };
    for (let index = 0; index * chunkBytes < entry.sizeBytes; index++) {
      const length = Math.min(chunkBytes, entry.sizeBytes - index * chunkBytes);
      await pace(length);
      const bytes = await readAt(file, index * chunkBytes, length);
      if (!(await isChunk(bytes, index, hash, entry.chunks))) return { is: 'damaged' };
    }
    return { is: 'whole' };
  });
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

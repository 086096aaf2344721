import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { MediaHash } from '../playlist/playlist.ts';
import { chunkBytes, isChunk } from './chunks.ts';
import type { Damage } from './doubt.ts';
import { isAbsent, isOfTheFile, storeFailure } from './failure.ts';
import type { Files, Folders } from './folders.ts';
import type { IndexEntry } from './index-file.ts';
import { readAt } from './source.ts';

/** A stored file was about to be shown and is not what it was. */
export class DamagedFile extends Error {
  readonly how: Damage;
  readonly chunk: number;

  constructor(how: Damage, chunk = 0, cause?: unknown) {
    super(`the stored file is ${how}`, { cause });
    this.how = how;
    this.chunk = chunk;
  }
}

/**
 * The bytes `first` … `last`, chunk by chunk, and not one of a chunk that was not compared with its digest first: what
 * is given out are the very bytes that were checked.
 * @throws DamagedFile; a PlayerError STORE_FAILED when something else than the file is at fault, such as too many open files
 */
export async function* readChecked(
  hash: MediaHash,
  entry: IndexEntry,
  { first, last }: { readonly first: number; readonly last: number },
  folders: Folders,
  files: Files,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  let file: FileHandle | null = null;
  let index = Math.floor(first / chunkBytes);
  try {
    file = await files.open(folders.media(hash), constants.O_RDONLY | constants.O_NOFOLLOW);
    for (; index * chunkBytes <= last; index++) {
      const start = index * chunkBytes;
      const bytes = await readAt(file, start, Math.min(chunkBytes, entry.sizeBytes - start));
      if (!(await isChunk(bytes, index, hash, entry.chunks))) throw new DamagedFile('damaged');
      yield bytes.subarray(Math.max(0, first - start), last - start + 1);
    }
  } catch (thrown) {
    if (thrown instanceof DamagedFile) throw thrown;
    if (isAbsent(thrown)) throw new DamagedFile('absent');
    if (isOfTheFile(thrown)) throw new DamagedFile('unreadable', index, thrown);
    throw storeFailure(thrown, 'reading media');
  } finally {
    await file?.close().catch(() => undefined);
  }
}

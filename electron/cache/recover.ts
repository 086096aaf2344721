import { constants } from 'node:fs';
import type { MediaHash } from '../playlist/playlist.ts';
import type { CommitPorts } from './commit.ts';
import { byteSource, createDigest, digestFile } from './digest.ts';
import { isAbsent } from './failure.ts';
import { emptyIndex, type Index, readIndex } from './index-file.ts';
import type { Recognition } from './media.ts';

/** What was found at start. */
export interface Recovery {
  readonly index: Index;
  readonly indexWas: 'whole' | 'absent' | 'damaged';
  /** Files that were in no index and are now, their digest and kind proven. */
  readonly adopted: readonly MediaHash[];
  /** Files that are not what they are called. */
  readonly quarantined: readonly MediaHash[];
  /** In the index, but not on the disk or of another length. */
  readonly lost: readonly MediaHash[];
}

/**
 * Bring the index and the files into agreement. The lengths of known files are
 * checked; files unknown to the index (a crash between rename and index, or a
 * damaged index) are hashed and recognized before they count.
 * @param nowMs Unix milliseconds
 */
export async function recover(ports: CommitPorts, nowMs: number): Promise<Recovery> {
  const { folders, files } = ports;
  const read = await readIndex(folders.indexFile, files);
  const indexWas = typeof read === 'string' ? read : 'whole';
  const index = typeof read === 'string' ? emptyIndex() : read;
  if (read === 'damaged') await folders.quarantine(folders.indexFile, `index-${nowMs}.json`);
  const onDisk = new Set(await folders.mediaFiles());
  const adopted: MediaHash[] = [];
  const quarantined: MediaHash[] = [];
  const lost: MediaHash[] = [];
  for (const [hash, { sizeBytes }] of index.media) {
    const here = onDisk.has(hash) && (await files.stat(folders.media(hash))).size === sizeBytes;
    if (here) continue;
    lost.push(hash);
    index.media.delete(hash);
  }
  for (const hash of onDisk) {
    if (index.media.has(hash)) continue;
    const proof = await prove(hash, ports);
    if (proof.ok) {
      const { format, sizeBytes } = proof;
      index.media.set(hash, { format, sizeBytes, lastUsedMs: nowMs });
      adopted.push(hash);
    } else {
      await folders.quarantine(folders.media(hash), hash);
      quarantined.push(hash);
    }
  }
  for (const [key, hash] of index.recorded) if (!index.media.has(hash)) index.recorded.delete(key);
  return { index, indexWas, adopted, quarantined, lost };
}

/** Whether a stored file still is what its name says, and of what kind. */
export async function prove(
  hash: MediaHash,
  ports: CommitPorts,
): Promise<(Extract<Recognition, { ok: true }> & { readonly sizeBytes: number }) | { readonly ok: false }> {
  let file: Awaited<ReturnType<typeof ports.files.open>>;
  try {
    file = await ports.files.open(ports.folders.media(hash), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (thrown) {
    if (isAbsent(thrown) || (thrown as NodeJS.ErrnoException).code === 'ELOOP') return { ok: false };
    throw thrown;
  }
  try {
    const { size: sizeBytes } = await file.stat();
    const digest = createDigest(false);
    await digestFile(file, sizeBytes, digest);
    if (digest.finish().sha256 !== hash) return { ok: false };
    const recognition = await ports.recognize(byteSource(file, sizeBytes));
    return recognition.ok ? { ...recognition, sizeBytes } : { ok: false };
  } finally {
    await file.close();
  }
}

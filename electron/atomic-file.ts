import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The calls that an atomic write makes; a test may stand in for a failing disk. */
export type WritingFiles = Pick<typeof import('node:fs/promises'), 'open' | 'rename' | 'rm'>;

/**
 * Replace a file as one step: whoever reads the path, also after a power cut,
 * finds the whole old content or the whole new one.
 *
 * There MUST be one writer per path: the new content waits beside it as `<path>.new`.
 *
 * @param path its folder exists
 * @param mode permission bits, 0600 where absent
 * @throws the system's own error (`code` ENOSPC, EROFS, …); the old content is then untouched
 */
export async function writeAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  files: WritingFiles = { open, rename, rm },
): Promise<void> {
  const waiting = `${path}.new`;
  await files.rm(waiting, { force: true });
  try {
    const handle = await files.open(waiting, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await files.rename(waiting, path);
  } catch (error) {
    await files.rm(waiting, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path), files);
}

/** Make renames and new names in a folder survive a power cut (fsync of the folder, open(2) and fsync(2)). */
export async function syncFolder(folder: string, files: Pick<WritingFiles, 'open'> = { open }): Promise<void> {
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

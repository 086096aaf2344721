import { statfs } from 'node:fs/promises';
import { type ErrorCode, PlayerError } from '../errors.ts';

/** What the operator can do, by the system's code (errno(3)). Everything else is a faulty disk. */
const kinds: Readonly<Record<string, readonly [code: ErrorCode, remedy: string]>> = {
  ENOSPC: ['STORE_FULL', 'free disk space, or lower store.budgetBytes or store.reserveBytes'],
  EDQUOT: ['STORE_FULL', 'raise the quota of the player’s user, or lower store.budgetBytes'],
  EROFS: ['STORE_READ_ONLY', 'check the disk and mount it read-write'],
};

/**
 * An error of the file system as a PlayerError: STORE_FULL when there is no room, STORE_READ_ONLY when nothing may be
 * written, else STORE_FAILED. PlayerErrors pass as they are.
 * @param doing what was tried, such as "writing a part file"
 */
export function storeFailure(thrown: unknown, doing: string): PlayerError {
  if (thrown instanceof PlayerError) return thrown;
  const errno = (thrown as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error';
  const [code, remedy] = kinds[errno] ?? ['STORE_FAILED', 'check the disk, and that the player’s user owns the folder'];
  return new PlayerError(code, `${doing}: ${errno}: ${remedy}`, thrown);
}

/** Whether an error says that a file or folder is not there. */
export function isAbsent(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/**
 * What a device or a file system says of one file, as opposed to what the whole system is short of, such as EMFILE: that
 * says nothing of the file, and the next try may find it well.
 */
const ofOneFile: ReadonlySet<string> = new Set(
  'EIO EUCLEAN EBADMSG ENODATA EILSEQ EREMOTEIO EACCES EISDIR ENOTDIR ELOOP ENXIO'.split(' '),
);

/** Whether an error is of one file: it cannot be read, or is none. */
export function isOfTheFile(thrown: unknown): boolean {
  return ofOneFile.has((thrown as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** Make calls to the file system whose errors come out as `storeFailure` has it. */
export async function guardStore<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw storeFailure(thrown, doing);
  }
}

/**
 * ENOSPC is also what the system says when a file system has bytes and no inode left: told apart here, because the
 * remedy differs.
 */
export async function refineFull(thrown: unknown, directory: string): Promise<unknown> {
  if (!(thrown instanceof PlayerError) || thrown.code !== 'STORE_FULL') return thrown;
  if ((thrown.cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOSPC') return thrown;
  const space = await statfs(directory).catch(() => null);
  if (space === null || space.files === 0 || space.ffree > 0) return thrown;
  return new PlayerError('STORE_INODES_FULL', 'no inode is free: remove files from this file system', thrown);
}

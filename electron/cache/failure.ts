import { PlayerError } from '../errors.ts';

const full = new Set(['ENOSPC', 'EDQUOT']);

/**
 * An error of the file system as a PlayerError: STORE_FULL when there is no room,
 * else STORE_FAILED. PlayerErrors pass as they are.
 * @param doing what was tried, such as "writing a part file"
 */
export function storeFailure(thrown: unknown, doing: string): PlayerError {
  if (thrown instanceof PlayerError) return thrown;
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error';
  return full.has(code)
    ? new PlayerError('STORE_FULL', `${doing}: ${code}: free disk space or lower store.budgetBytes`, thrown)
    : new PlayerError('STORE_FAILED', `${doing}: ${code}: check the disk and that it is mounted read-write`, thrown);
}

/** Whether an error says that a file or folder is not there. */
export function isAbsent(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/** Make calls to the file system whose errors come out as `storeFailure` has it. */
export async function guardStore<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw storeFailure(thrown, doing);
  }
}

import { mkdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder, writeAtomic } from './atomic-file.ts';
import { PlayerError } from './errors.ts';

/** Longest state file, bytes: keys, certificates and the registration are far shorter. */
const longestBytes = 1024 * 1024;

/** Make the state folder, for the player's user alone. @throws PlayerError STATE_UNWRITABLE */
export function makeStateFolder(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw failure(directory, 'cannot be made', thrown);
  }
}

/**
 * Read a small state file.
 * @returns `undefined` when there is none
 * @throws PlayerError STATE_UNWRITABLE when it cannot be read, STATE_CORRUPT when it is far too long
 */
export async function readPrivateFile(path: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      if ((await handle.stat()).size > longestBytes)
        throw new PlayerError('STATE_CORRUPT', `${path}: longer than ${longestBytes} bytes`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failure(path, 'cannot be read', thrown);
  }
}

/** Replace a state file in one step, readable by the player's user alone (0600). @throws PlayerError STATE_UNWRITABLE */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  try {
    await writeAtomic(path, content, 0o600);
  } catch (thrown) {
    throw failure(path, 'cannot be written', thrown);
  }
}

/** Remove a state file for good; one that is not there is no error. @throws PlayerError STATE_UNWRITABLE */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  } catch (thrown) {
    throw failure(path, 'cannot be removed', thrown);
  }
}

/** Let one state file take the place of another, after all that was renamed before. @throws PlayerError STATE_UNWRITABLE */
export async function replaceFile(from: string, to: string): Promise<void> {
  try {
    await syncFolder(dirname(to));
    await rename(from, to);
    await syncFolder(dirname(to));
  } catch (thrown) {
    throw failure(to, 'cannot be replaced', thrown);
  }
}

/** Put a state file aside under another name, so that nothing is lost. @throws PlayerError STATE_UNWRITABLE */
export async function putAside(path: string, suffix: string): Promise<void> {
  try {
    await rename(path, `${path}.${suffix}`);
    await syncFolder(dirname(path));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw failure(path, 'cannot be renamed', thrown);
  }
}

function failure(path: string, what: string, thrown: unknown): PlayerError {
  if (thrown instanceof PlayerError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? 'error';
  return new PlayerError(
    'STATE_UNWRITABLE',
    `${path}: ${what} (${code}): check the disk and the folder’s owner`,
    thrown,
  );
}

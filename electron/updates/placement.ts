import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../atomic-file.ts';
import { PlayerError } from '../errors.ts';
import { nextOf } from './folder.ts';
import type { Release } from './statement.ts';

/**
 * Put a downloaded version beside the present file, which stays as it is, and judge its bytes again in the place that
 * they will be started from.
 * @returns where it lies
 * @throws PlayerError MEDIA_DIGEST; the system's own errors
 */
export async function placeNext(downloaded: string, target: string, { sha512 }: Release): Promise<string> {
  const next = nextOf(target);
  await rm(next, { force: true });
  try {
    await move(downloaded, next);
    const handle = await open(next, 'r+');
    try {
      await handle.chmod(0o755);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(dirname(next));
    if ((await digestOf(next)) !== sha512) throw new PlayerError('MEDIA_DIGEST', `${next}: not what was signed`);
    return next;
  } catch (thrown) {
    await rm(next, { force: true }).catch(() => undefined);
    throw thrown;
  }
}

/** State folder and AppImage may lie on two file systems. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
    await copyFile(from, to, constants.COPYFILE_EXCL);
    await rm(from, { force: true });
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('base64');
}

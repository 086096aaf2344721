import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of the updates in the state folder. */
export interface UpdateFolder {
  readonly path: string;
  /** Written by a new version that has shown a healthy first frame. */
  readonly healthy: string;
  /** SHA-512 (base64) of what did not start, one a line; the supervisor appends. */
  readonly refused: string;
  /** Where the library downloads to. */
  readonly downloads: string;
}

export function updateFolder(stateDirectory: string): UpdateFolder {
  const path = join(stateDirectory, 'updates');
  const within = (name: string) => join(path, name);
  return { path, healthy: within('healthy'), refused: within('refused'), downloads: within('downloads') };
}

/** The name under which a new version waits, in the folder of the present one, until it has proven itself. */
export const nextOf = (target: string) => `${target}.next`;

/** Remove what an update left that a power cut ended. The present file was not touched by it. */
export async function sweep(folder: UpdateFolder, target: string): Promise<void> {
  await mkdir(folder.path, { recursive: true, mode: 0o700 });
  for (const left of [nextOf(target), folder.healthy, folder.downloads])
    await rm(left, { recursive: true, force: true });
}

/** Far more refusals than there will be; bytes. */
const longestBytes = 64 * 1024;

/** What was tried earlier and did not start; of a list that is far too long, its end. */
export async function readRefused(folder: UpdateFolder): Promise<ReadonlySet<string>> {
  try {
    const handle = await open(folder.refused, 'r');
    try {
      const { size } = await handle.stat();
      const from = Math.max(0, size - longestBytes);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestBytes), 0, longestBytes, from);
      return new Set(buffer.toString('utf8', 0, bytesRead).split('\n').filter(Boolean));
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw thrown;
  }
}

import type { FileHandle } from 'node:fs/promises';
import { syncFolder } from '../atomic-file.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import { guardStore } from './failure.ts';
import type { Files, Folders } from './folders.ts';

/** A received file that waits to become one of the store. */
export interface Unsettled {
  readonly file: FileHandle;
  readonly part: string;
  readonly hash: MediaHash;
}

/**
 * Data to the disk → name → name to the disk. Nothing MUST have its name before its data are durable.
 * @throws the file system's own error, the file is then a part file as before; a PlayerError when its data could not be
 *   made durable: the system may have given them up, so that nothing of it must be used again
 */
export type Settle = (file: Unsettled) => Promise<void>;

/** The pool of file threads has four: reads and writes go on meanwhile. */
const syncsAtOnce = 2;
const mostAtOnce = 64;

interface Waiting extends Unsettled {
  resolve(): void;
  reject(thrown: unknown): void;
}

/** Settles the files that came meanwhile together, so that a folder is synced once for all of them. */
export function createSettle(folders: Folders, files: Files): Settle {
  const waiting: Waiting[] = [];
  let running = false;
  const run = async () => {
    running = true;
    while (waiting.length > 0) await settleAll(waiting.splice(0, mostAtOnce), folders, files);
    running = false;
  };
  return (file) =>
    new Promise((resolve, reject) => {
      waiting.push({ ...file, resolve, reject });
      if (!running) void run();
    });
}

async function settleAll(batch: readonly Waiting[], folders: Folders, files: Files): Promise<void> {
  const renamed = new Map<string, Waiting[]>();
  await atMost(syncsAtOnce, batch, async (entry) => {
    try {
      await guardStore('making media durable', () => entry.file.datasync());
      const folder = await folders.prepareFor(entry.hash);
      await files.rename(entry.part, folders.media(entry.hash));
      renamed.set(folder, [...(renamed.get(folder) ?? []), entry]);
    } catch (thrown) {
      entry.reject(thrown);
    }
  });
  await atMost(syncsAtOnce, [...renamed], async ([folder, entries]) => {
    try {
      await syncFolder(folder, files);
      for (const { part } of entries) await files.rm(`${part}.from`, { force: true });
      for (const { resolve } of entries) resolve();
    } catch (thrown) {
      for (const { reject } of entries) reject(thrown);
    }
  });
}

async function atMost<T>(count: number, all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values();
  const worker = async () => {
    for (const one of queue) await work(one);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

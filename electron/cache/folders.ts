import * as disk from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../atomic-file.ts';
import type { MediaHash } from '../playlist/playlist.ts';
import { isAbsent, isOfTheFile } from './failure.ts';
import { mediaHash } from './media.ts';

/** The calls that the store makes; a test may stand in for a failing disk. */
export type Files = Pick<
  typeof import('node:fs/promises'),
  'mkdir' | 'open' | 'readdir' | 'readFile' | 'rename' | 'rm' | 'stat' | 'statfs'
>;

/** The file system itself. */
export const realFiles: Files = disk;

const mostQuarantined = 8;

/** Names in the store's directory. Every one is made of hex digits: nothing from a document becomes part of a path. */
export interface Folders {
  readonly indexFile: string;
  /** The store's own. */
  readonly directory: string;
  media(hash: MediaHash): string;
  /** @param key 64 hex digits */
  part(key: string): string;
  /** Make the folders, 0700, and everything above them. */
  prepare(): Promise<void>;
  /** The folder of a media file, made and durable. */
  prepareFor(hash: MediaHash): Promise<string>;
  /** Every file under `media/` with a name that the store gives. */
  mediaFiles(): Promise<readonly MediaHash[]>;
  parts(): Promise<readonly string[]>;
  /** Names in the part folder, also of what belongs to a part file or was left by a crash. */
  partLeftovers(): Promise<readonly string[]>;
  /** Move a file out of use, for support to look at. Only a few are kept, and those that cannot be removed. */
  quarantine(path: string, name: string): Promise<void>;
  /** Removes what can be removed. @returns how much that was, and why something is left */
  emptyQuarantine(): Promise<{ readonly bytes: number; readonly failure: unknown }>;
  quarantineBytes(): Promise<number>;
  /** Make, write and remove a small file. @throws the file system's own error when nothing can be written */
  probe(): Promise<void>;
}

/** @param directory absolute; the store's alone */
export function createFolders(directory: string, files: Files): Folders {
  const [media, parts, quarantined] = [
    join(directory, 'media'),
    join(directory, 'part'),
    join(directory, 'quarantine'),
  ];
  const names = async (folder: string) => {
    try {
      return await files.readdir(folder);
    } catch (thrown) {
      if (isAbsent(thrown)) return [];
      throw thrown;
    }
  };
  /** 0 where it is gone by now, or the disk does not tell. */
  const sizeOf = (path: string) =>
    files.stat(path).then(
      ({ size }) => size,
      () => 0,
    );
  return {
    indexFile: join(directory, 'index.json'),
    directory,
    media: (hash) => join(media, hash.slice(0, 2), hash),
    part: (key) => join(parts, key),
    prepare: async () => {
      const made = new Set<string>();
      for (const folder of [media, parts, quarantined]) {
        const first = await files.mkdir(folder, { recursive: true, mode: 0o700 });
        if (first !== undefined) made.add(dirname(first)).add(directory);
      }
      // On a busy disk this takes a while, and a start waits for it.
      for (const folder of made) await syncFolder(folder, files);
    },
    prepareFor: async (hash) => {
      const folder = join(media, hash.slice(0, 2));
      const made = await files.mkdir(folder, { recursive: true, mode: 0o700 });
      if (made !== undefined) await syncFolder(media, files);
      return folder;
    },
    mediaFiles: async () => {
      const found: MediaHash[] = [];
      for (const folder of await names(media)) {
        if (!/^[0-9a-f]{2}$/.test(folder)) continue;
        // A folder that cannot be read holds nothing that could be used; the others do.
        const inside = await names(join(media, folder)).catch((thrown): string[] => {
          if (isOfTheFile(thrown)) return [];
          throw thrown;
        });
        for (const name of inside) {
          const hash = mediaHash(name);
          if (hash?.startsWith(folder)) found.push(hash);
        }
      }
      return found;
    },
    parts: async () => (await names(parts)).filter((name) => mediaHash(name) !== null),
    partLeftovers: () => names(parts),
    quarantine: async (path, name) => {
      const kept = (await names(quarantined)).filter((other) => other !== name).sort();
      // What is of no use here may be anything, also a folder that somebody made.
      for (const old of [name, ...kept.slice(0, Math.max(0, kept.length - mostQuarantined + 1))])
        await files.rm(join(quarantined, old), { force: true, recursive: true }).catch(() => undefined);
      await files.rename(path, join(quarantined, name));
      await syncFolder(quarantined, files);
    },
    quarantineBytes: async () => {
      let bytes = 0;
      for (const name of await names(quarantined).catch(() => [])) bytes += await sizeOf(join(quarantined, name));
      return bytes;
    },
    probe: async () => {
      const path = join(directory, 'probe');
      const file = await files.open(path, 'w', 0o600);
      try {
        await file.writeFile('.');
      } finally {
        await file.close();
        await files.rm(path, { force: true });
      }
    },
    emptyQuarantine: async () => {
      let bytes = 0;
      let failure: unknown;
      const failed = (thrown: unknown) => {
        failure ??= thrown;
        return [];
      };
      for (const name of await names(quarantined).catch(failed)) {
        const path = join(quarantined, name);
        const size = await sizeOf(path);
        const gone = () => {
          bytes += size;
        };
        await files.rm(path, { force: true, recursive: true }).then(gone, failed);
      }
      return { bytes, failure };
    },
  };
}

import { createReadStream } from 'node:fs';
import type { ServedMedia } from '../../electron/shell/scheme.ts';

/** A file outside any store as the `player://` scheme takes it; nothing is checked. */
export function servedFile(path: string, sizeBytes: number, headers: Readonly<Record<string, string>>): ServedMedia {
  return {
    sizeBytes,
    headers,
    read: async function* (start, end) {
      for await (const chunk of createReadStream(path, { start, end })) yield new Uint8Array(chunk as Buffer);
    },
  };
}

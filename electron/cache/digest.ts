import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { MediaHash } from '../playlist/playlist.ts';
import type { ByteSource } from './media.ts';

const blockBytes = 1 << 20;

/** SHA-256 and MD5 of a file, block by block as it grows. MD5 only where the playlist gives one: it is slow and weak. */
export interface Digest {
  update(block: Uint8Array): void;
  finish(): { readonly sha256: MediaHash; readonly md5: string | null };
}

export function createDigest(withMd5: boolean): Digest {
  const sha256 = createHash('sha256');
  const md5: Hash | null = withMd5 ? createHash('md5') : null;
  return {
    update: (block) => {
      sha256.update(block);
      md5?.update(block);
    },
    finish: () => ({ sha256: sha256.digest('hex') as MediaHash, md5: md5?.digest('hex') ?? null }),
  };
}

/** Feed the first bytes of a file to a digest, a block at a time. */
export async function digestFile(file: FileHandle, lengthBytes: number, digest: Digest): Promise<void> {
  const source = byteSource(file, lengthBytes);
  for (let offset = 0; offset < lengthBytes; ) {
    const block = await source.read(offset, blockBytes);
    if (block.length === 0) return;
    digest.update(block);
    offset += block.length;
  }
}

/** An open file as a source of bytes. */
export function byteSource(file: FileHandle, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    read: async (offset, length) => {
      const wanted = Math.max(0, Math.min(length, sizeBytes - offset));
      const block = new Uint8Array(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await file.read(block, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return block.subarray(0, filled);
    },
  };
}

import type { FileHandle } from 'node:fs/promises';
import type { Digests } from './chunks.ts';
import type { ByteSource } from './media.ts';

const blockBytes = 1 << 20;

/** An open file as a source of bytes. */
export function byteSource(file: FileHandle, sizeBytes: number): ByteSource {
  return { sizeBytes, read: (offset, length) => readAt(file, offset, Math.min(length, sizeBytes - offset)) };
}

/** The bytes of a file from an offset on: fewer than `length` only at its end. */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const wanted = Math.max(0, length);
  const block = new Uint8Array(wanted);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await file.read(block, filled, wanted - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return block.subarray(0, filled);
}

/** Feed the first bytes of a file to digests, a block at a time. */
export async function digestFile(file: FileHandle, lengthBytes: number, digests: Digests): Promise<void> {
  for (let offset = 0; offset < lengthBytes; ) {
    const block = await readAt(file, offset, Math.min(blockBytes, lengthBytes - offset));
    if (block.length === 0) return;
    digests.update(block);
    offset += block.length;
  }
}

import { createHash, type Hash, webcrypto } from 'node:crypto';
import type { MediaHash } from '../playlist/playlist.ts';

/** Bytes that are checked as one, so that a place in a large file can be shown without reading all of it. */
export const chunkBytes = 2 * 2 ** 20;

const digestBytes = 32;

/**
 * The SHA-256 of every 2 MiB of a file, one after the other. Empty for a file of at most one chunk: its digest is the
 * file's own. They are taken while the file's own digest is, and stand for it from then on.
 */
export type ChunkDigests = Buffer;

/** Digests of a file as it grows. MD5 only where the playlist gives one: it is slow and weak. */
export interface Digests {
  update(bytes: Uint8Array): void;
  /** SHA-256 of what has come so far, hex. */
  soFar(): string;
  finish(): { readonly sha256: MediaHash; readonly md5: string | null; readonly chunks: ChunkDigests };
}

export function createDigests(withMd5: boolean): Digests {
  const whole = createHash('sha256');
  const md5: Hash | null = withMd5 ? createHash('md5') : null;
  const chunks: Buffer[] = [];
  let inChunk = 0;
  // Up to the end of the first chunk the file's own digest is the chunk's too.
  let chunk: Hash = whole;
  return {
    update: (bytes) => {
      md5?.update(bytes);
      for (let at = 0; at < bytes.length; ) {
        if (inChunk === chunkBytes) {
          chunks.push(chunk === whole ? whole.copy().digest() : chunk.digest());
          chunk = createHash('sha256');
          inChunk = 0;
        }
        const piece = bytes.subarray(at, at + chunkBytes - inChunk);
        whole.update(piece);
        if (chunk !== whole) chunk.update(piece);
        inChunk += piece.length;
        at += piece.length;
      }
    },
    soFar: () => whole.copy().digest('hex'),
    finish: () => {
      if (chunks.length > 0) chunks.push(chunk.digest());
      return {
        sha256: whole.digest('hex') as MediaHash,
        md5: md5?.digest('hex') ?? null,
        chunks: Buffer.concat(chunks),
      };
    },
  };
}

/** How many bytes the digests of a file of this size take. */
export function digestsLength(sizeBytes: number): number {
  return sizeBytes <= chunkBytes ? 0 : Math.ceil(sizeBytes / chunkBytes) * digestBytes;
}

/** Whether a chunk is what it was when its file was stored. The digest is computed off the JavaScript thread. */
export async function isChunk(
  bytes: Uint8Array<ArrayBuffer>,
  index: number,
  hash: MediaHash,
  chunks: ChunkDigests,
): Promise<boolean> {
  const expected =
    chunks.length === 0
      ? Buffer.from(hash, 'hex')
      : chunks.subarray(index * digestBytes, index * digestBytes + digestBytes);
  const digest = await webcrypto.subtle.digest('SHA-256', bytes);
  return expected.equals(new Uint8Array(digest));
}

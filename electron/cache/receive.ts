import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { PlayerError } from '../errors.ts';
import { createDigest, type Digest, digestFile } from './digest.ts';
import { guardStore } from './failure.ts';
import type { Files } from './folders.ts';
import type { MediaOrigin, WantedMedia } from './media.ts';

/** A part file that is complete as far as length goes, still open. */
export interface Received {
  readonly file: FileHandle;
  readonly sizeBytes: number;
  readonly digest: Digest;
}

/**
 * Stream a file into its part file, going on where an earlier try ended when the
 * playlist's digest will prove that the two halves belong together.
 *
 * @param maxBytes bound for a file of unknown size
 * @throws PlayerError MEDIA_LENGTH, STORE_FULL, STORE_FAILED, or what the origin throws; the part file stays for a resume
 */
export async function receive(
  path: string,
  wanted: WantedMedia,
  origin: MediaOrigin,
  maxBytes: number,
  files: Pick<Files, 'open'>,
): Promise<Received> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await guardStore('opening a part file', () => files.open(path, flags, 0o600));
  try {
    const limitBytes = wanted.sizeBytes ?? maxBytes;
    if (limitBytes > maxBytes) throw tooLong(maxBytes);
    const resumable = wanted.sha256 !== null || wanted.md5 !== null;
    let sizeBytes = resumable ? (await guardStore('reading a part file', () => file.stat())).size : 0;
    if (sizeBytes > limitBytes) sizeBytes = 0;
    if (sizeBytes > 0 && sizeBytes === wanted.sizeBytes) return { file, sizeBytes, digest: await digestSoFar() };
    const body = await origin.fetch(sizeBytes);
    const expectedBytes = wanted.sizeBytes ?? body.totalBytes;
    if ((body.totalBytes ?? 0) > limitBytes) throw tooLong(limitBytes);
    if (body.totalBytes !== undefined && body.totalBytes !== expectedBytes)
      throw otherLength(body.totalBytes, expectedBytes);
    if (body.status === 200) sizeBytes = 0;
    await guardStore('cutting a part file', () => file.truncate(sizeBytes));
    const digest = await digestSoFar();
    for await (const chunk of chunksOf(body.stream)) {
      if (sizeBytes + chunk.length > limitBytes) {
        await guardStore('cutting a part file', () => file.truncate(0));
        throw tooLong(limitBytes);
      }
      await guardStore('writing a part file', () => writeAll(file, chunk, sizeBytes));
      digest.update(chunk);
      sizeBytes += chunk.length;
    }
    if (sizeBytes !== (expectedBytes ?? sizeBytes)) throw otherLength(sizeBytes, expectedBytes);
    return { file, sizeBytes, digest };

    async function digestSoFar(): Promise<Digest> {
      const digest = createDigest(wanted.md5 !== null);
      await guardStore('reading a part file', () => digestFile(file, sizeBytes, digest));
      return digest;
    }
  } catch (thrown) {
    await file.close().catch(() => undefined);
    throw thrown;
  }
}

function tooLong(limitBytes: number): PlayerError {
  return new PlayerError('MEDIA_LENGTH', `media: longer than ${limitBytes} bytes`);
}

function otherLength(cameBytes: number, expectedBytes: number | undefined): PlayerError {
  return new PlayerError('MEDIA_LENGTH', `media: ${cameBytes} bytes instead of ${expectedBytes}`);
}

async function writeAll(file: FileHandle, chunk: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, offset + written);
    written += bytesWritten;
  }
}

/** The stream's chunks; what breaks it off is a transport error, also where the transport does not say so. */
async function* chunksOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (thrown) {
    if (thrown instanceof PlayerError) throw thrown;
    throw new PlayerError('CONNECTION_FAILED', 'media: the download broke off', thrown);
  }
}

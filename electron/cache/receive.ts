import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { PlayerError } from '../errors.ts';
import { type Beginning, readBeginning, writeBeginning } from './beginning.ts';
import { createDigests, type Digests } from './chunks.ts';
import { guardStore } from './failure.ts';
import type { Files } from './folders.ts';
import type { MediaBody, MediaOrigin, WantedMedia } from './media.ts';
import { createPartWriter } from './part-writer.ts';
import { digestFile } from './source.ts';

/** A part file that is complete as far as length goes, still open. */
export interface Received {
  readonly file: FileHandle;
  readonly sizeBytes: number;
  readonly digests: Digests;
  /** Whether some of it came at an earlier time. */
  readonly resumed: boolean;
}

export interface ReceivePorts {
  readonly files: Files;
  /** Bound for a file of unknown size, bytes. */
  readonly maxBytes: number;
  /** Room on the disk for one download. */
  claim(): Claim;
  /** A download broke off, and so many more bytes are here for a resume than before. */
  kept(bytes: number): void;
}

/** What ends a download that a resume goes on with. */
const brokeOff: ReadonlySet<string> = new Set(['CONNECTION_FAILED', 'CONNECTION_TIMEOUT']);

/** Bytes that a download will still write. */
export interface Claim {
  /** @throws PlayerError STORE_FULL, STORE_INODES_FULL when so many more must not be written */
  grow(bytes: number): Promise<void>;
  /** So many of them have been written. */
  shrink(bytes: number): void;
  end(): void;
}

/** How often a running download writes down what a resume needs. */
const firstMarkBytes = 2 ** 20;
const markEveryBytes = 8 * 2 ** 20;

/**
 * Stream a file into its part file, going on where an earlier try ended: where the playlist gives a digest, which will
 * prove that the two halves belong together; else where the server gave an entity tag and the bytes that are here are
 * those that came with it.
 *
 * @param part path of the part file; what it was begun with is kept at `<part>.from`
 * @throws PlayerError MEDIA_LENGTH, STORE_…, or what the origin throws; the part file stays for a resume
 */
export async function receive(
  part: string,
  wanted: WantedMedia,
  origin: MediaOrigin,
  ports: ReceivePorts,
): Promise<Received> {
  const { files, maxBytes } = ports;
  const limitBytes = wanted.sizeBytes ?? maxBytes;
  if (limitBytes > maxBytes) throw tooLong(maxBytes);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await guardStore('opening a part file', () => files.open(part, flags, 0o600));
  const claim = ports.claim();
  let body: MediaBody | null = null;
  try {
    const begun = await readBeginning(`${part}.from`, files);
    const here = await guardStore('reading a part file', () => whatIsHere(file, wanted, begun, limitBytes));
    if (here.sizeBytes > 0 && here.sizeBytes === wanted.sizeBytes) return { file, ...here, resumed: true };
    if (wanted.sizeBytes !== null) await claim.grow(wanted.sizeBytes - here.sizeBytes);
    body = await origin.fetch(here.sizeBytes, begun?.url === wanted.url ? begun.validator : undefined);
    const expectedBytes = wanted.sizeBytes ?? body.totalBytes;
    if ((body.totalBytes ?? 0) > limitBytes) throw tooLong(limitBytes);
    if (body.totalBytes !== undefined && body.totalBytes !== expectedBytes)
      throw otherLength(body.totalBytes, expectedBytes);
    const resumed = body.status === 206 && here.sizeBytes > 0;
    const { sizeBytes: fromBytes, digests } = resumed
      ? here
      : { sizeBytes: 0, digests: createDigests(wanted.md5 !== null) };
    if (wanted.sizeBytes === null && expectedBytes !== undefined) await claim.grow(expectedBytes - fromBytes);
    await guardStore('cutting a part file', () => file.truncate(fromBytes));
    const writer = createPartWriter(file, fromBytes);
    const mark = async () => {
      if (body?.validator === undefined) return;
      const { url } = wanted;
      const beginning = { url, validator: body.validator, bytes: writer.sizeBytes, sha256: digests.soFar() };
      await guardStore('writing a part file', () => writeBeginning(`${part}.from`, beginning, files));
    };
    let nextMark = fromBytes + firstMarkBytes;
    try {
      for await (const bytes of chunksOf(body.stream)) {
        if (writer.sizeBytes + bytes.length > limitBytes) {
          await writer.end();
          await guardStore('cutting a part file', () => file.truncate(0));
          throw tooLong(limitBytes);
        }
        digests.update(bytes);
        await guardStore('writing a part file', () => writer.write(bytes));
        claim.shrink(bytes.length);
        if (writer.sizeBytes < nextMark) continue;
        if (expectedBytes === undefined) await claim.grow(markEveryBytes);
        nextMark = writer.sizeBytes + markEveryBytes;
        await guardStore('writing a part file', writer.flush);
        await mark();
      }
      await guardStore('writing a part file', writer.end);
    } catch (thrown) {
      const wasWritten = await writer.end().then(
        () => true,
        () => false,
      );
      if (wasWritten) await mark().catch(() => undefined);
      if (wasWritten && thrown instanceof PlayerError && brokeOff.has(thrown.code))
        ports.kept(Math.max(0, writer.sizeBytes - here.sizeBytes));
      throw thrown;
    }
    const { sizeBytes } = writer;
    if (sizeBytes !== (expectedBytes ?? sizeBytes)) throw otherLength(sizeBytes, expectedBytes);
    return { file, sizeBytes, digests, resumed };
  } catch (thrown) {
    await file.close().catch(() => undefined);
    throw thrown;
  } finally {
    claim.end();
    body?.close?.();
  }
}

/** Remove a part file and what belongs to it. */
export async function removePart(part: string, files: Pick<Files, 'rm'>): Promise<void> {
  for (const path of [part, `${part}.from`, `${part}.from.new`]) await files.rm(path, { force: true });
}

async function whatIsHere(
  file: FileHandle,
  wanted: WantedMedia,
  begun: Beginning | null,
  limitBytes: number,
): Promise<Pick<Received, 'sizeBytes' | 'digests'>> {
  const digests = createDigests(wanted.md5 !== null);
  const nothing = { sizeBytes: 0, digests };
  const { size } = await file.stat();
  if (wanted.sha256 !== null || wanted.md5 !== null) {
    if (size > limitBytes) return nothing;
    await digestFile(file, size, digests);
    return { sizeBytes: size, digests };
  }
  if (begun === null || begun.url !== wanted.url || begun.bytes === 0 || size < begun.bytes) return nothing;
  await digestFile(file, begun.bytes, digests);
  if (digests.soFar() === begun.sha256) return { sizeBytes: begun.bytes, digests };
  return { sizeBytes: 0, digests: createDigests(false) };
}

function tooLong(limitBytes: number): PlayerError {
  return new PlayerError('MEDIA_LENGTH', `media: longer than ${limitBytes} bytes`);
}

function otherLength(cameBytes: number, expectedBytes: number | undefined): PlayerError {
  return new PlayerError('MEDIA_LENGTH', `media: ${cameBytes} bytes instead of ${expectedBytes}`);
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

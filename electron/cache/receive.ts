import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { PlayerError } from '../errors.ts';
import { type Beginning, readBeginning, writeBeginning } from './beginning.ts';
import { createDigests, type Digests } from './chunks.ts';
import { guardStore, isOfTheFile, storeFailure } from './failure.ts';
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
  /** So many of them are on the disk, which counts them from now on. */
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
  const { file, begun, here } = await openPart(part, wanted, limitBytes, files);
  const claim = ports.claim();
  let body: MediaBody | null = null;
  try {
    if (here.sizeBytes > 0 && here.sizeBytes === wanted.sizeBytes) return { file, ...here, resumed: true };
    if (wanted.sizeBytes !== null) await claim.grow(wanted.sizeBytes - here.sizeBytes);
    body = await origin.fetch(here.sizeBytes, begun?.url === wanted.url ? begun.validator : undefined);
    const isAnother = here.sizeBytes > 0 && !isProven(wanted) && isOfAnother(body, begun);
    if (isAnother) {
      body.close?.();
      body = null;
      body = await origin.fetch(0);
    }
    const expectedBytes = wanted.sizeBytes ?? body.totalBytes;
    if ((body.totalBytes ?? 0) > limitBytes) throw tooLong(limitBytes);
    if (body.totalBytes !== undefined && body.totalBytes !== expectedBytes)
      throw otherLength(body.totalBytes, expectedBytes);
    const resumed = body.status === 206 && here.sizeBytes > 0 && !isAnother;
    const { sizeBytes: fromBytes, digests } = resumed ? here : nothingOf(wanted);
    if (wanted.sizeBytes === null && expectedBytes !== undefined) await claim.grow(expectedBytes - fromBytes);
    await guardStore('cutting a part file', () => file.truncate(fromBytes));
    const writer = createPartWriter(file, fromBytes);
    let countedTo = fromBytes;
    const giveBack = () => {
      claim.shrink(writer.writtenTo - countedTo);
      countedTo = writer.writtenTo;
    };
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
        giveBack();
        if (writer.sizeBytes < nextMark) continue;
        await guardStore('writing a part file', writer.flush);
        giveBack();
        if (expectedBytes === undefined) await claim.grow(markEveryBytes);
        nextMark = writer.sizeBytes + markEveryBytes;
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

/** What of a part file can be gone on with. */
type Here = Pick<Received, 'sizeBytes' | 'digests'>;

/** @returns also what it was begun with; a new one where the disk fails at what came at an earlier time */
async function openPart(
  part: string,
  wanted: WantedMedia,
  limitBytes: number,
  files: Files,
): Promise<{ readonly file: FileHandle; readonly begun: Beginning | null; readonly here: Here }> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const open = () => guardStore('opening a part file', () => files.open(part, flags, 0o600));
  const file = await open();
  try {
    const begun = await readBeginning(`${part}.from`, files);
    return { file, begun, here: await whatIsHere(file, wanted, begun, limitBytes) };
  } catch (thrown) {
    await file.close().catch(() => undefined);
    if (!isOfTheFile(thrown)) throw storeFailure(thrown, 'reading a part file');
    // It would fail at every try; what the disk cannot read it replaces when that is written anew.
    await guardStore('removing a part file', () => removePart(part, files));
    return { file: await open(), begun: null, here: nothingOf(wanted) };
  }
}

async function whatIsHere(
  file: FileHandle,
  wanted: WantedMedia,
  begun: Beginning | null,
  limitBytes: number,
): Promise<Here> {
  const { size } = await file.stat();
  const { digests } = nothingOf(wanted);
  if (isProven(wanted)) {
    if (size > limitBytes) return nothingOf(wanted);
    await digestFile(file, size, digests);
    return { sizeBytes: size, digests };
  }
  if (begun === null || begun.url !== wanted.url || begun.bytes === 0 || size < begun.bytes) return nothingOf(wanted);
  await digestFile(file, begun.bytes, digests);
  return digests.soFar() === begun.sha256 ? { sizeBytes: begun.bytes, digests } : nothingOf(wanted);
}

function nothingOf({ md5 }: WantedMedia): Here {
  return { sizeBytes: 0, digests: createDigests(md5 !== null) };
}

/** Whether a digest will show that two halves belong together. */
function isProven({ sha256, md5 }: WantedMedia): boolean {
  return sha256 !== null || md5 !== null;
}

/** A server that knows no If-Range sends the rest of whatever it has by now. */
function isOfAnother({ status, validator }: MediaBody, begun: Beginning | null): boolean {
  return status === 206 && validator !== undefined && validator !== begun?.validator;
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

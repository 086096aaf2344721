import type { ByteSource } from '../cache/media.ts';
import { Block, checkDimensions, Refusal, readBlock } from './probe.ts';

const docTypeId = 0x4282;
const segmentId = 0x18538067;
const tracksId = 0x1654ae6b;
const clusterId = 0x1f43b675;
/** TrackEntry and its Video element. */
const videoPath = [0xae, 0xe0];
const audioPath = [0xae, 0xe1];
const pixelWidthId = 0xb0;
const pixelHeightId = 0xba;

const mostElements = 4_096;
const longestTracksBytes = 1024 * 1024;
/** Longest id and size. */
const headerBytes = 12;

/**
 * WebM by its EBML header (RFC 8794 §11.2, RFC 9559 §4): DocType `webm`, then a
 * Segment whose tracks come before its clusters, with a video of a bearable
 * size, or sound alone. Matroska under its own name is refused.
 */
export async function checkEbml(source: ByteSource, head: Block): Promise<'webm' | 'weba'> {
  const length = readSize(head, 4);
  const end = length.next + length.value;
  let docType: string | null = null;
  for (let at = length.next; at < end; ) {
    const id = readId(head, at);
    const size = readSize(head, id.next);
    if (id.value === docTypeId) docType = head.text(size.next, Math.min(size.value, 32)).replace(/\0+$/, '');
    at = size.next + size.value;
  }
  if (docType !== 'webm') throw new Refusal('its EBML is not WebM');
  const segment = readId(head, end);
  if (segment.value !== segmentId) throw new Refusal('its WebM has no segment');
  return checkTracks(await findTracks(source, readSize(head, segment.next).next));
}

/** The content of Tracks, the other elements skipped. @param from offset of the segment's first element */
async function findTracks(source: ByteSource, from: number): Promise<Block> {
  let at = from;
  let tracks: Block | null = null;
  for (let count = 0; count < mostElements && at < source.sizeBytes; count++) {
    const header = await readBlock(source, at, headerBytes);
    const id = readId(header, 0);
    if (id.value === clusterId) break;
    const size = readSize(header, id.next);
    if (id.value === tracksId) {
      if (size.value > longestTracksBytes) throw new Refusal('its WebM has too long a list of tracks');
      // Demuxers put a second list behind the first.
      if (tracks !== null) throw new Refusal('its WebM has two lists of tracks');
      tracks = await readBlock(source, at + size.next, size.value);
    }
    at += size.next + size.value;
  }
  if (tracks === null) throw new Refusal('its WebM has no list of tracks in front of its pictures');
  return tracks;
}

function checkTracks(tracks: Block): 'webm' | 'weba' {
  let found = false;
  for (const video of elementsAt(tracks, videoPath)) {
    checkDimensions(largest(video, pixelWidthId), largest(video, pixelHeightId));
    found = true;
  }
  if (found) return 'webm';
  if (elementsAt(tracks, audioPath).next().done === true) throw new Refusal('its WebM has neither video nor sound');
  return 'weba';
}

/** Contents of every element at the end of a path of containers. */
function* elementsAt(block: Block, [first, ...rest]: readonly number[]): Generator<Block> {
  let count = 0;
  for (let at = 0; at < block.length; ) {
    if (++count > mostElements) throw new Refusal('its WebM has too many elements');
    const id = readId(block, at);
    const size = readSize(block, id.next);
    const end = size.next + size.value;
    if (end > block.length) throw new Refusal('one of its WebM elements does not fit');
    if (id.value === first) {
      const content = new Block(block.bytes.subarray(size.next, end));
      if (rest.length === 0) yield content;
      else yield* elementsAt(content, rest);
    }
    at = end;
  }
}

/** Of an element that is there once; where it is there twice, demuxers differ in which one counts. */
function largest(video: Block, id: number): number {
  return Math.max(0, ...[...elementsAt(video, [id])].map(unsigned));
}

/** Unsigned integer element (RFC 8794 §7.2). */
function unsigned(content: Block): number {
  return content.bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Length by leading zeros; the marker bit stays part of an id (RFC 8794 §5). */
function readId(block: Block, at: number): { value: number; next: number } {
  const bytes = widthOf(block.u8(at), 4);
  let value = 0;
  for (let index = 0; index < bytes; index++) value = value * 256 + block.u8(at + index);
  return { value, next: at + bytes };
}

/** Length by leading zeros, the marker bit taken off (RFC 8794 §4); infinite where it is unknown, all ones (§6.2). */
function readSize(block: Block, at: number): { value: number; next: number } {
  const bytes = widthOf(block.u8(at), 8);
  let value = block.u8(at) & (0xff >> bytes);
  for (let index = 1; index < bytes; index++) value = value * 256 + block.u8(at + index);
  return { value: value === 2 ** (7 * bytes) - 1 ? Number.POSITIVE_INFINITY : value, next: at + bytes };
}

function widthOf(first: number, most: number): number {
  const bytes = Math.clz32(first) - 23;
  if (bytes > most) throw new Refusal('its EBML is broken');
  return bytes;
}

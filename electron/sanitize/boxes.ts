import type { ByteSource, MediaFormat } from '../cache/media.ts';
import { Block, checkDimensions, Refusal, readBlock } from './probe.ts';

const mostBoxes = 4_096;
const longestIndexBytes = 16 * 2 ** 20;

/** Containers that lead to the boxes looked for. */
const picturePath = ['iprp', 'ipco', 'ispe'];
const samplePath = ['trak', 'mdia', 'minf', 'stbl', 'stsd'];

/** Video codings that Chromium decodes in every build of the runtime. */
const shownCodings = new Set(['avc1', 'avc3', 'av01', 'vp08', 'vp09']);

/**
 * AVIF or MP4 by its boxes (ISO/IEC 14496-12 §4.2): the brand, then the index
 * box with a picture size (AVIF) or a track that can be shown (MP4).
 */
export async function checkBoxes(source: ByteSource, head: Block): Promise<MediaFormat> {
  const brandsEnd = Math.min(head.u32(0), head.length);
  const brands = [head.text(8, 4)];
  for (let at = 16; at + 4 <= brandsEnd; at += 4) brands.push(head.text(at, 4));
  const isPicture = brands.includes('avif') || brands.includes('avis');
  if (!isPicture && brands.some((brand) => /^(hei[cxms]|mif1|msf1)$/.test(brand)))
    throw new Refusal('HEIF pictures are not shown');
  const index = await findIndex(source, isPicture ? 'meta' : 'moov');
  if (isPicture) {
    checkPictureSizes(index);
    // A sequence is played from its track, whose size is its own.
    if (brands.includes('avis') && checkTracks(await findIndex(source, 'moov')) !== 'mp4')
      throw new Refusal('its AVIF sequence has no pictures');
    return 'avif';
  }
  return checkTracks(index);
}

/** The content of a top-level box; every box before it has a length that fits the file. */
async function findIndex(source: ByteSource, wanted: string): Promise<Block> {
  let at = 0;
  for (let count = 0; count < mostBoxes && at + 8 <= source.sizeBytes; count++) {
    const header = await readBlock(source, at, 16);
    const { type, headerBytes, boxBytes } = boxAt(header, 0, source.sizeBytes - at);
    if (type === wanted) {
      if (boxBytes > longestIndexBytes) throw new Refusal(`its ${wanted} box is too long`);
      // `meta` is a full box: four bytes of version and flags come first.
      const skip = headerBytes + (wanted === 'meta' ? 4 : 0);
      return readBlock(source, at + skip, boxBytes - skip);
    }
    at += boxBytes;
  }
  throw new Refusal(`it has no ${wanted} box`);
}

interface Box {
  readonly type: string;
  readonly headerBytes: number;
  readonly boxBytes: number;
}

function boxAt(block: Block, at: number, roomBytes: number): Box {
  const size = block.u32(at);
  const type = block.text(at + 4, 4);
  const headerBytes = size === 1 ? 16 : 8;
  const boxBytes = size === 0 ? roomBytes : size === 1 ? block.u64(at + 8) : size;
  if (boxBytes < headerBytes || boxBytes > roomBytes) throw new Refusal('one of its boxes does not fit');
  return { type, headerBytes, boxBytes };
}

/** Contents of every box at the end of a path of containers. */
function* boxesAt(block: Block, [first, ...rest]: readonly string[]): Generator<Block> {
  let count = 0;
  for (let at = 0; at + 8 <= block.length; ) {
    if (++count > mostBoxes) throw new Refusal('it has too many boxes');
    const { type, headerBytes, boxBytes } = boxAt(block, at, block.length - at);
    if (type === first) {
      const content = new Block(block.bytes.subarray(at + headerBytes, at + boxBytes));
      if (rest.length === 0) yield content;
      else yield* boxesAt(content, rest);
    }
    at += boxBytes;
  }
}

function checkPictureSizes(meta: Block): void {
  let found = false;
  for (const size of boxesAt(meta, picturePath)) {
    checkDimensions(size.u32(4), size.u32(8));
    found = true;
  }
  if (!found) throw new Refusal('its AVIF has no picture size');
}

/** Sound codings that Chromium decodes; AC-3 and the like are left silent beside a picture. */
const heardCodings = new Set(['mp4a', 'Opus', 'fLaC']);

/** Every track that can be shown: which of several is shown is the decoder's choice. Without one, it is sound alone. */
function checkTracks(moov: Block): 'mp4' | 'm4a' {
  const others: string[] = [];
  let found = false;
  let sound = false;
  for (const descriptions of boxesAt(moov, samplePath)) {
    if (descriptions.u32(4) < 1) continue;
    const coding = descriptions.text(12, 4);
    if (shownCodings.has(coding)) {
      // Into the first VisualSampleEntry, past eight bytes of the description box (§12.1.3).
      checkDimensions(descriptions.u16(8 + 32), descriptions.u16(8 + 34));
      found = true;
    } else if (heardCodings.has(coding)) sound = true;
    else if (/^[\w .-]{4}$/.test(coding)) others.push(coding);
  }
  if (found) return 'mp4';
  // A picture that is not shown does not become sound alone: somebody expects to see something.
  if (sound && others.length === 0) return 'm4a';
  throw new Refusal(`it has no video track that is shown (found: ${others.slice(0, 4).join(', ') || 'none'})`);
}

import type { ByteSource } from '../cache/media.ts';
import { Block, checkDimensions, Refusal, readBlock } from './probe.ts';

/** Frames of a moving picture: many more than any sign shows, few enough to be walked through. */
const mostFrames = 5_000;
const mostPieces = 4_000_000;
const longestBytes = 256 * 2 ** 20;
const pageBytes = 64 * 1024;

/** Reads small places one after the other from large blocks. */
function pager(source: ByteSource) {
  let page = new Block(new Uint8Array());
  let from = 0;
  return async (at: number, length: number): Promise<Block> => {
    if (at < from || at + length > from + page.length) {
      from = at;
      page = await readBlock(source, at, pageBytes);
    }
    return new Block(page.bytes.subarray(at - from, at - from + length));
  };
}

/** What is behind a moving picture's header has to be frames of its size, and not too many of them. */
function createCount(what: string, sizeBytes: number) {
  if (sizeBytes > longestBytes) throw new Refusal(`its ${what} is too long`);
  let [frames, pieces] = [0, 0];
  return {
    piece: () => {
      pieces += 1;
      if (pieces > mostPieces) throw new Refusal(`its ${what} has too many blocks`);
    },
    frame: () => {
      frames += 1;
      if (frames > mostFrames) throw new Refusal(`its ${what} has more than ${mostFrames} pictures`);
    },
    frames: () => frames,
  };
}

const tableBytes = (packed: number) => ((packed & 0x80) === 0 ? 0 : 3 << ((packed & 7) + 1));
const mostBlocksBefore = 4_096;

/** Screen (GIF89a §18) and every frame (§20): decoders enlarge the screen to the first. */
export async function checkGif(source: ByteSource, head: Block): Promise<void> {
  checkDimensions(head.u16(6, true), head.u16(8, true));
  const read = pager(source);
  const count = createCount('GIF', source.sizeBytes);
  let at = 13 + tableBytes(head.u8(10));
  let blocksBefore = 0;
  const skipSubBlocks = async () => {
    for (;;) {
      count.piece();
      blocksBefore += 1;
      if (count.frames() === 0 && blocksBefore > mostBlocksBefore)
        throw new Refusal('its GIF has too many blocks before its picture');
      const length = at < source.sizeBytes ? (await read(at, 1)).u8(0) : 0;
      at += 1 + length;
      if (length === 0) return;
    }
  };
  while (at < source.sizeBytes) {
    const first = (await read(at, 1)).u8(0);
    if (first === 0x21) at += 2;
    else if (first === 0x2c) {
      const frame = await read(at, 10);
      checkDimensions(frame.u16(1, true) + frame.u16(5, true), frame.u16(3, true) + frame.u16(7, true));
      count.frame();
      at += 10 + tableBytes(frame.u8(9)) + 1;
    } else if (count.frames() > 0) return;
    // What is behind the last picture decoders do not read.
    else throw new Refusal('its GIF has no picture');
    await skipSubBlocks();
  }
  if (count.frames() === 0) throw new Refusal('its GIF has no picture');
}

/** The ANMF chunks of a moving WebP (RFC 9649 §2.7.1.1), none of them beyond the canvas. */
export async function checkWebpFrames(source: ByteSource, head: Block): Promise<void> {
  const [width, height] = [head.u24(24) + 1, head.u24(27) + 1];
  const read = pager(source);
  const count = createCount('WebP', source.sizeBytes);
  const end = Math.min(source.sizeBytes, head.u32(4, true) + 8);
  for (let at = 12; at + 8 <= end; ) {
    count.piece();
    const chunk = await read(at, 24);
    const bytes = chunk.u32(4, true);
    if (chunk.text(0, 4) === 'ANMF') {
      count.frame();
      const [x, y] = [chunk.u24(8) * 2, chunk.u24(11) * 2];
      if (x + chunk.u24(14) + 1 > width || y + chunk.u24(17) + 1 > height)
        throw new Refusal('its WebP has a picture beyond its edge');
    }
    at += 8 + bytes + (bytes % 2);
  }
}

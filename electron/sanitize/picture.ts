import type { ByteSource } from '../cache/media.ts';
import { checkWebpFrames } from './frames.ts';
import { type Block, checkDimensions, Refusal, readBlock } from './probe.ts';

const mostSegments = 512;

/** Walk the segments up to the frame header (ITU-T T.81 §B.1.1, §B.2.2). */
export async function checkJpeg(source: ByteSource): Promise<void> {
  let at = 2;
  for (let count = 0; count < mostSegments; count++) {
    const segment = await readBlock(source, at, 9);
    if (segment.u8(0) !== 0xff) throw new Refusal('its JPEG segments are broken');
    const marker = segment.u8(1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) throw new Refusal('its JPEG has no frame before the scan');
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      checkDimensions(segment.u16(7), segment.u16(5));
      return;
    }
    const length = segment.u16(2);
    if (length < 2) throw new Refusal('its JPEG segments are broken');
    at += 2 + length;
  }
  throw new Refusal('its JPEG has too many segments');
}

/** IHDR comes first and makes sense (W3C PNG §11.2.1). */
export function checkPng(head: Block): void {
  if (head.u32(8) !== 13 || head.text(12, 4) !== 'IHDR') throw new Refusal('its PNG does not begin with IHDR');
  const [depth, colour, interlace] = [head.u8(24), head.u8(25), head.u8(28)];
  const depths: Readonly<Record<number, readonly number[]>> = {
    0: [1, 2, 4, 8, 16],
    2: [8, 16],
    3: [1, 2, 4, 8],
    4: [8, 16],
    6: [8, 16],
  };
  if (!depths[colour]?.includes(depth) || head.u8(26) !== 0 || head.u8(27) !== 0 || interlace > 1)
    throw new Refusal('its PNG header is not one');
  checkDimensions(head.u32(16), head.u32(20));
}

/** RIFF length and the first chunk (RFC 9649 §2); a moving picture frame by frame. */
export async function checkWebp(source: ByteSource, head: Block): Promise<void> {
  if (head.u32(4, true) + 8 > source.sizeBytes) throw new Refusal('its WebP is cut short');
  switch (head.text(12, 4)) {
    case 'VP8 ':
      if (head.u24(23) !== 0x2a019d) throw new Refusal('its WebP frame is not one');
      checkDimensions(head.u16(26, true) & 0x3fff, head.u16(28, true) & 0x3fff);
      return;
    case 'VP8L': {
      if (head.u8(20) !== 0x2f) throw new Refusal('its WebP frame is not one');
      const bits = head.u32(21, true);
      checkDimensions((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
      return;
    }
    case 'VP8X':
      checkDimensions(head.u24(24) + 1, head.u24(27) + 1);
      if ((head.u8(20) & 0x02) !== 0) await checkWebpFrames(source, head);
      return;
    default:
      throw new Refusal('its WebP begins with an unknown chunk');
  }
}

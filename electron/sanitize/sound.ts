import type { ByteSource, MediaFormat } from '../cache/media.ts';
import { type Block, Refusal, readBlock } from './probe.ts';

/** Sound files by their content: MP3, FLAC, Ogg (Opus, Vorbis, FLAC) and WAV; `null` where it is none of them. */
export async function soundFormat(source: ByteSource, head: Block): Promise<MediaFormat | null> {
  if (head.startsWith(0x66, 0x4c, 0x61, 0x43)) {
    // STREAMINFO comes first and has 34 bytes (RFC 9639 §8.2).
    if ((head.u8(4) & 0x7f) !== 0 || head.u24be(5) !== 34)
      throw new Refusal('its FLAC does not begin with its properties');
    return 'flac';
  }
  if (head.startsWith(0x4f, 0x67, 0x67, 0x53)) {
    checkOgg(head);
    return 'ogg';
  }
  if (head.length >= 12 && /^RIFF....WAVE$/s.test(head.text(0, 12))) {
    checkWave(head, source.sizeBytes);
    return 'wav';
  }
  const tagBytes = id3Bytes(head);
  if (tagBytes === 0 && frameBytes(head, 0) === null) return null;
  await checkFrames(source, tagBytes);
  return 'mp3';
}

/** One page with the first packet of a coding that is played (RFC 3533 §6, RFC 7845 §5.1). */
function checkOgg(head: Block): void {
  if (head.u8(4) !== 0) throw new Refusal('its Ogg page is not one');
  const at = 27 + head.u8(26);
  const packet = head.text(at, 8);
  if (packet !== 'OpusHead' && !packet.startsWith('\x01vorbis') && !packet.startsWith('\x7fFLAC'))
    throw new Refusal('its Ogg holds no sound that is played');
}

/** PCM, float or extensible in the first chunk. */
function checkWave(head: Block, sizeBytes: number): void {
  if (head.u32(4, true) + 8 > sizeBytes + 1) throw new Refusal('its WAV is cut short');
  if (head.text(12, 4) !== 'fmt ' || ![1, 3, 0xfffe].includes(head.u16(20, true)))
    throw new Refusal('its WAV holds no sound that is played');
}

/** Length of an ID3v2 tag at the beginning, 0 without one (ID3v2.4 §3.1). */
function id3Bytes(head: Block): number {
  if (!head.startsWith(0x49, 0x44, 0x33)) return 0;
  let size = 0;
  for (let at = 6; at < 10; at += 1) {
    if (head.u8(at) > 0x7f) throw new Refusal('its tag has no length');
    size = size * 128 + head.u8(at);
  }
  return 10 + size + ((head.u8(5) & 0x10) === 0 ? 0 : 10);
}

const kilobits: Readonly<Record<'1' | '2', readonly number[]>> = {
  '1': [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2': [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

/** Length of the layer III frame at a place (ISO/IEC 11172-3 §2.4.1.3), `null` where there is none. */
function frameBytes(block: Block, at: number): number | null {
  if (block.length < at + 4) return null;
  const [first, second, third] = [block.u8(at), block.u8(at + 1), block.u8(at + 2)];
  const version = (second >> 3) & 3;
  if (first !== 0xff || (second & 0xe0) !== 0xe0 || version === 1 || ((second >> 1) & 3) !== 1) return null;
  const rate = [44_100, 48_000, 32_000][(third >> 2) & 3];
  const bits = kilobits[version === 3 ? '1' : '2'][third >> 4];
  if (rate === undefined || bits === undefined || bits === 0) return null;
  const hertz = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4;
  return Math.floor(((version === 3 ? 144_000 : 72_000) * bits) / hertz) + ((third >> 1) & 1);
}

/** Three frames, each where the one before it ends: two bytes alone could be anything. */
async function checkFrames(source: ByteSource, from: number): Promise<void> {
  let at = from;
  for (let count = 0; count < 3; count += 1) {
    const length = frameBytes(await readBlock(source, at, 4), 0);
    if (length === null) throw new Refusal('its MP3 frames are not in a row');
    at += length;
  }
}

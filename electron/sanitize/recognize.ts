import type { ByteSource, MediaFormat, Recognition } from '../cache/media.ts';
import { checkBoxes } from './boxes.ts';
import { checkEbml } from './ebml.ts';
import { checkGif } from './frames.ts';
import { checkJpeg, checkPng, checkWebp } from './picture.ts';
import { type Block, Refusal, readBlock } from './probe.ts';
import { soundFormat } from './sound.ts';
import { checkSvg, looksLikeSvg } from './svg.ts';

const headBytes = 4_096;

/**
 * What a file is, by its content alone: its magic number, and enough of its
 * structure to know that the number is not a disguise. Neither its name nor what
 * its server called it counts. Reads a bounded part of the file.
 */
export async function recognize(source: ByteSource): Promise<Recognition> {
  try {
    return { ok: true, format: await formatOf(source, await readBlock(source, 0, headBytes)) };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ok: false, reason: thrown.message };
    throw thrown;
  }
}

async function formatOf(source: ByteSource, head: Block): Promise<MediaFormat> {
  if (head.startsWith(0xff, 0xd8, 0xff)) {
    await checkJpeg(source);
    return 'jpeg';
  }
  if (head.startsWith(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) {
    checkPng(head);
    return 'png';
  }
  if (head.startsWith(0x1a, 0x45, 0xdf, 0xa3)) {
    return checkEbml(source, head);
  }
  if (head.length < 16) throw new Refusal('it is too short for any media');
  const magic = head.text(0, 12);
  if (/^GIF8[79]a/.test(magic)) {
    await checkGif(source, head);
    return 'gif';
  }
  if (/^RIFF....WEBP$/s.test(magic)) {
    await checkWebp(source, head);
    return 'webp';
  }
  if (magic.slice(4, 8) === 'ftyp') return checkBoxes(source, head);
  const sound = await soundFormat(source, head);
  if (sound !== null) return sound;
  const text = textOf(head);
  if (text.startsWith('<') && looksLikeSvg(text)) {
    await checkSvg(source);
    return 'svg';
  }
  throw new Refusal(disguise(head));
}

const textOf = (head: Block) => new TextDecoder().decode(head.bytes).trimStart();

/** Says what unknown content looks like, so that the log helps. */
function disguise(head: Block): string {
  if (textOf(head).startsWith('<')) return 'it is a text with markup, not media';
  return 'it is of no kind that is shown';
}

import type { ByteSource } from '../cache/media.ts';
import { Refusal, readBlock } from './probe.ts';

const longestBytes = 16 * 2 ** 20;
/** The beginning, within which the root element has to be. */
const prologBytes = 64 * 1024;

const spaces = '[\\t\\n\\r ]';
const comment = '<!--(?:(?!-->)[\\s\\S])*-->';
/** A document type may be named, but not bring entities of its own: they multiply. */
const documentType = `<!DOCTYPE${spaces}+svg(?:${spaces}+PUBLIC${spaces}+"[^"<>]*"${spaces}*"[^"<>]*")?${spaces}*>`;
const between = `(?:${spaces}|${comment})*`;
/** What stands between is sought once: twice in a row, a long one could be shared out between both in too many ways. */
const root = new RegExp(
  `^(?:<\\?xml${spaces}[^?<>]*\\?>)?${between}(?:${documentType}${between})?<svg(?=[\\s>])([^>]*)>`,
);

/** Whether a text looks like SVG, to say of it what it is. */
export function looksLikeSvg(text: string): boolean {
  return /<svg[\s>]/i.test(text);
}

/**
 * An SVG document (W3C SVG 2 §5.1): UTF-8, no entities of its own, the root element in SVG's namespace. What scripts and
 * links are in it stays there: it is shown as an `<img>`, in which neither runs nor leads anywhere (SVG integration,
 * secure animated mode).
 */
export async function checkSvg(source: ByteSource): Promise<void> {
  if (source.sizeBytes > longestBytes) throw new Refusal('its SVG is too long');
  const text = decoded((await readBlock(source, 0, prologBytes)).bytes);
  if (/^<\?xml[^?]*encoding\s*=\s*["'](?!utf-?8["'])/i.test(text)) throw new Refusal('its SVG is not in UTF-8');
  const [, attributes] = root.exec(text) ?? [];
  if (attributes === undefined) throw new Refusal('its SVG does not begin with its root, or has entities of its own');
  if (!/\sxmlns\s*=\s*["']http:\/\/www\.w3\.org\/2000\/svg["']/.test(attributes))
    throw new Refusal('its SVG is not in the namespace of SVG');
}

function decoded(bytes: Uint8Array): string {
  try {
    // As of a stream: the beginning may end in the middle of a character.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    throw new Refusal('its SVG is not in UTF-8');
  }
}

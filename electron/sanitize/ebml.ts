import { type Block, Refusal } from './probe.ts';

const docTypeId = 0x4282;
const segmentId = 0x18538067;

/**
 * WebM by its EBML header (RFC 8794 §11.2, RFC 9559 §4): DocType `webm`, then a
 * Segment. Matroska under its own name is refused.
 */
export function checkEbml(head: Block): void {
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
  if (readId(head, end).value !== segmentId) throw new Refusal('its WebM has no segment');
}

/** Length by leading zeros; the marker bit stays part of an id (RFC 8794 §5). */
function readId(block: Block, at: number): { value: number; next: number } {
  const bytes = widthOf(block.u8(at), 4);
  let value = 0;
  for (let index = 0; index < bytes; index++) value = value * 256 + block.u8(at + index);
  return { value, next: at + bytes };
}

/** Length by leading zeros, the marker bit taken off (RFC 8794 §4). */
function readSize(block: Block, at: number): { value: number; next: number } {
  const bytes = widthOf(block.u8(at), 8);
  let value = block.u8(at) & (0xff >> bytes);
  for (let index = 1; index < bytes; index++) value = value * 256 + block.u8(at + index);
  return { value, next: at + bytes };
}

function widthOf(first: number, most: number): number {
  const bytes = Math.clz32(first) - 23;
  if (bytes > most) throw new Refusal('its EBML is broken');
  return bytes;
}

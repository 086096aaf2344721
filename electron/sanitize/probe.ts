import type { ByteSource } from '../cache/media.ts';

/** Content that a format's rules refuse. Thrown inside `sanitize/` only; `recognize` makes it a value. */
export class Refusal extends Error {}

/** Bounded big-endian and little-endian reading of one block; past its end everything is refused. */
export class Block {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(at: number): number {
    this.#need(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number, littleEndian = false): number {
    this.#need(at, 2);
    return this.#view.getUint16(at, littleEndian);
  }

  u24(at: number): number {
    this.#need(at, 3);
    return this.#view.getUint16(at, true) + this.#view.getUint8(at + 2) * 65_536;
  }

  u24be(at: number): number {
    this.#need(at, 3);
    return this.#view.getUint8(at) * 65_536 + this.#view.getUint16(at + 1);
  }

  u32(at: number, littleEndian = false): number {
    this.#need(at, 4);
    return this.#view.getUint32(at, littleEndian);
  }

  /** An unsigned 64-bit length; above 2^53 no file is that long. */
  u64(at: number): number {
    return this.u32(at) * 2 ** 32 + this.u32(at + 4);
  }

  /** Bytes as Latin-1 text. */
  text(at: number, length: number): string {
    this.#need(at, length);
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  startsWith(...prefix: readonly number[]): boolean {
    return this.length >= prefix.length && prefix.every((byte, at) => this.bytes[at] === byte);
  }

  #need(at: number, length: number): void {
    if (at < 0 || at + length > this.length) throw new Refusal('it ends in the middle of its header');
  }
}

export async function readBlock(source: ByteSource, offset: number, length: number): Promise<Block> {
  return new Block(await source.read(offset, length));
}

const longestSide = 16_384;
const mostPixels = 64 * 2 ** 20;

/** Refuse pictures that have no area, or whose pixels would not fit the memory of a small player. */
export function checkDimensions(width: number, height: number): void {
  if (width < 1 || height < 1) throw new Refusal('its picture has no area');
  if (width > longestSide || height > longestSide || width * height > mostPixels)
    throw new Refusal(`its picture is larger than ${longestSide} pixels a side or ${mostPixels} in all`);
}

import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

/** Levels (of 255) by which a colour channel may differ: image decoders and colour conversion round differently. */
const tolerance = 12;
// Even numbers: the pointer rests in the middle of the display.
const grid = { columns: 10, rows: 8 };

/** Reads a few points of a virtual display's frame buffer file, as often as one likes. */
export interface PixelProbe {
  /** The points' colours now: blue, green, red, unused, a point each 4 bytes. */
  read(): Buffer;
  /**
   * Read every 2 ms until a predicate holds.
   * @param limitMs after which this rejects
   * @returns `performance.now()` of the first reading that fits
   */
  until(fits: (points: Buffer) => boolean, limitMs: number): Promise<number>;
  close(): void;
}

/**
 * @param framebuffer X window dump, 32 bits per pixel, least significant byte first (as Xvfb writes on this machine)
 * @param points how many, evenly over the display
 * @throws Error for another format
 */
export function openPixelProbe(framebuffer: string, { columns, rows } = grid): PixelProbe {
  const file = openSync(framebuffer, 'r');
  const header = Buffer.alloc(100);
  readSync(file, header, 0, header.length, 0);
  const word = (index: number) => header.readUInt32BE(index * 4);
  const [width, height, stride] = [word(4), word(5), word(12)];
  if (word(1) !== 7 || word(11) !== 32 || word(7) !== 0) throw new Error('the frame buffer has an unknown format');
  const start = word(0) + word(19) * 12;
  const offsets: number[] = [];
  for (let row = 1; row <= rows; row++) {
    for (let column = 1; column <= columns; column++) {
      const [x, y] = [Math.floor((width * column) / (columns + 1)), Math.floor((height * row) / (rows + 1))];
      offsets.push(start + y * stride + x * 4);
    }
  }
  const read = () => {
    const points = Buffer.alloc(offsets.length * 4);
    for (const [index, offset] of offsets.entries()) readSync(file, points, index * 4, 4, offset);
    return points;
  };
  return {
    read,
    until: async (fits, limitMs) => {
      const end = performance.now() + limitMs;
      for (;;) {
        const points = read();
        const now = performance.now();
        if (fits(points)) return now;
        if (now > end) throw new Error(`the display did not show what was awaited within ${limitMs} ms`);
        await after(2);
      }
    },
    close: () => closeSync(file),
  };
}

/** Whether two readings show the same picture. */
export function samePicture(one: Buffer, other: Buffer): boolean {
  return (
    one.length === other.length &&
    one.every((level, at) => at % 4 === 3 || Math.abs(level - (other[at] ?? 0)) <= tolerance)
  );
}

/** Whether every point has one colour: nothing is shown yet, or any more. */
export function isPlain(points: Buffer): boolean {
  const first = points.readUIntLE(0, 3);
  for (let at = 4; at < points.length; at += 4) if (points.readUIntLE(at, 3) !== first) return false;
  return true;
}

/**
 * Marks that a machine can read off a display: every frame of the test media is sixteen upright bars, so that each row
 * of it tells which item and which of its frames it belongs to. Rows that disagree show a display that was read while
 * it was painted.
 */

/** Bars: white, black, item (4), frame (8), parity of the item, parity of the frame. */
export const bars = 16;
const itemBits = 4;
const frameBits = 8;
/** Frames are counted modulo this. */
export const frameCount = 2 ** frameBits;

export interface Mark {
  /** 0 … 15 */
  readonly item: number;
  /** 0 … 255; 0 in media that do not move. */
  readonly frame: number;
}

/** What a display shows at one instant; `torn`: two pictures at once, or one that is no mark. */
export type Sight = Mark | 'black' | 'torn';

const parity = (bits: readonly boolean[]) => bits.filter(Boolean).length % 2 === 1;

function bitsOf(value: number, count: number): boolean[] {
  return Array.from({ length: count }, (_, at) => ((value >> (count - 1 - at)) & 1) === 1);
}

function numberOf(bits: readonly boolean[]): number {
  return bits.reduce((value, bit) => value * 2 + Number(bit), 0);
}

/** The bars of a frame from left to right, `true` is white. */
export function barsOf({ item, frame }: Mark): boolean[] {
  const [name, count] = [bitsOf(item, itemBits), bitsOf(frame % frameCount, frameBits)];
  return [true, false, ...name, ...count, parity(name), parity(count)];
}

/** Above a video's white less its blur, below its black and the page's own ground. */
const brightest = 170;
const darkest = 60;

/** What one row shows. @param levels brightness at the middle of each bar, 0 … 255 */
export function readRow(levels: readonly number[]): Sight {
  if (levels.every((level) => level < darkest)) return 'black';
  if (levels.some((level) => level >= darkest && level <= brightest)) {
    // One tone from side to side is an empty ground, whatever its colour.
    return Math.max(...levels) - Math.min(...levels) < 8 ? 'black' : 'torn';
  }
  const bits = levels.map((level) => level > brightest);
  if (bits.every(Boolean)) return 'black';
  const [name, count] = [bits.slice(2, 2 + itemBits), bits.slice(2 + itemBits, 2 + itemBits + frameBits)];
  const whole = bits[0] === true && bits[1] === false && bits[14] === parity(name) && bits[15] === parity(count);
  return whole ? { item: numberOf(name), frame: numberOf(count) } : 'torn';
}

/** What the display shows, from several of its rows. One empty row is an empty display. */
export function readSight(rows: readonly (readonly number[])[]): Sight {
  const sights = rows.map(readRow);
  if (sights.includes('black')) return 'black';
  const [first] = sights;
  if (first === undefined || typeof first === 'string') return 'torn';
  const one = sights.every(
    (sight) => typeof sight !== 'string' && sight.item === first.item && sight.frame === first.frame,
  );
  return one ? first : 'torn';
}

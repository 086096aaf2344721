/** What the machine shows: QEMU's screendump, a binary PPM (netpbm, P6). */

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of one pixel. */
  at(x: number, y: number): readonly [number, number, number];
}

/** @throws when it is no 8-bit P6 */
export function readPpm(bytes: Buffer): Picture {
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.toString('latin1', 0, 64));
  if (head === null) throw new Error('not a picture of 8 bits a channel');
  const [width, height] = [Number(head[1]), Number(head[2])];
  const from = head[0].length;
  if (bytes.length < from + 3 * width * height) throw new Error('the picture is cut short');
  return {
    width,
    height,
    at: (x, y) => {
      const place = from + 3 * (y * width + x);
      return [bytes[place] ?? 0, bytes[place + 1] ?? 0, bytes[place + 2] ?? 0];
    },
  };
}

/** Pixels of a grid over the whole picture, edges included. */
function* grid(picture: Picture, columns = 33, rows = 19) {
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      yield picture.at(
        Math.round((column * (picture.width - 1)) / (columns - 1)),
        Math.round((row * (picture.height - 1)) / (rows - 1)),
      );
}

/** The share of the display, 0 … 1, that has this colour, give or take `tolerance` a channel. */
export function shareOf(picture: Picture, colour: readonly [number, number, number], tolerance = 6): number {
  const pixels = [...grid(picture)];
  const hits = pixels.filter((pixel) => pixel.every((value, at) => Math.abs(value - (colour[at] ?? 0)) <= tolerance));
  return hits.length / pixels.length;
}

/** How many clearly different colours the display has; a dark or plain one has few. */
export function colours(picture: Picture): number {
  return new Set([...grid(picture, 161, 91)].map((pixel) => pixel.map((value) => value >> 4).join())).size;
}

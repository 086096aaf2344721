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
  return pixels.filter((pixel) => isNear(pixel, colour, tolerance)).length / pixels.length;
}

/** Whether each single pixel has this colour: no pointer, no cursor of a console, no dead edge. */
export function isAll(picture: Picture, colour: readonly [number, number, number], tolerance = 6): boolean {
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) if (!isNear(picture.at(x, y), colour, tolerance)) return false;
  return true;
}

/** The share of the display, 0 … 1, that looks the same in both pictures. */
export function likeness(one: Picture, other: Picture): number {
  const [here, there] = [[...grid(one, 161, 91)], [...grid(other, 161, 91)]];
  return here.filter((pixel, at) => isNear(pixel, there[at] ?? [0, 0, 0], 6)).length / here.length;
}

const isNear = (pixel: readonly number[], colour: readonly number[], tolerance: number) =>
  pixel.every((value, at) => Math.abs(value - (colour[at] ?? 0)) <= tolerance);

/** How many clearly different colours the display has; a dark or plain one has few. */
export function colours(picture: Picture): number {
  return new Set([...grid(picture, 161, 91)].map((pixel) => pixel.map((value) => value >> 4).join())).size;
}

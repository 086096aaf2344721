import { pngOf } from '../../support/png.ts';

/** Levels of a channel that are kept apart: the dithering of gradients is noise that no page of documentation needs. */
const step = 4;

/** A small PNG file. @param rgb rows of three bytes a pixel */
export function smallPng(width: number, height: number, rgb: Buffer): Buffer {
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(width * 3 + 1);
    for (let x = 0; x < width * 3; x += 1) {
      const level = rgb[y * width * 3 + x] ?? 0;
      row[x + 1] = Math.min(255, Math.round(level / step) * step);
    }
    return row;
  });
  return pngOf(width, height, 'rgb', rows);
}

import { readFile, writeFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';

/**
 * @typedef {object} Picture
 * @property {number} width pixels
 * @property {number} height pixels
 * @property {number} stride bytes per row
 * @property {Buffer} pixels rows of 4 bytes a pixel: blue, green, red, unused
 */

/**
 * The pixels of an X window dump with 32 bits per pixel (XWDFile.h, version 7), as Xvfb keeps it under -fbdir.
 * @param {Buffer} dump
 * @returns {Picture}
 */
export function readWindowDump(dump) {
  // The header is 25 big-endian words; a table of 12-byte colours follows it and the window's name.
  const word = (/** @type {number} */ index) => dump.readUInt32BE(index * 4);
  const [headerBytes, version, width, height] = [word(0), word(1), word(4), word(5)];
  const [byteOrder, bitsPerPixel, stride, colours] = [word(7), word(11), word(12), word(19)];
  if (version !== 7 || bitsPerPixel !== 32)
    throw new Error(`window dump version ${version}, ${bitsPerPixel} bits per pixel`);
  const start = headerBytes + colours * 12;
  const pixels = Buffer.from(dump.subarray(start, start + stride * height));
  if (pixels.length !== stride * height) throw new Error('window dump is cut short');
  if (byteOrder === 1) pixels.swap32();
  return { width, height, stride, pixels };
}

/** @param {string} file the framebuffer of a virtual display @returns {Promise<Picture>} */
export const readFramebuffer = async (file) => readWindowDump(await readFile(file));

/** @param {Picture} picture @returns {boolean} whether all pixels have one colour */
export function isBlank({ width, height, stride, pixels }) {
  const first = pixels.readUIntLE(0, 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (pixels.readUIntLE(y * stride + x * 4, 3) !== first) return false;
  }
  return true;
}

/**
 * @param {string} type four letters
 * @param {Buffer} data
 */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/**
 * The picture as a PNG file (RFC 2083), 8 bits RGB.
 * @param {Picture} picture
 * @returns {Buffer}
 */
export function encodePng({ width, height, stride, pixels }) {
  const rows = Buffer.alloc(height * (width * 3 + 1));
  let at = 0;
  for (let y = 0; y < height; y++) {
    rows[at++] = 0; // filter: none
    for (let from = y * stride; from < y * stride + width * 4; from += 4) {
      rows[at++] = /** @type {number} */ (pixels[from + 2]);
      rows[at++] = /** @type {number} */ (pixels[from + 1]);
      rows[at++] = /** @type {number} */ (pixels[from]);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 3 })), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

/**
 * @param {string} framebuffer
 * @param {string} file the PNG file to write
 */
export async function writeScreenshot(framebuffer, file) {
  await writeFile(file, encodePng(await readFramebuffer(framebuffer)));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import { buildModule } from './build-module.ts';

const { readWindowDump, encodePng, isBlank } = await buildModule('bootstrap/framebuffer.mjs');

/** A dump of 3×2 pixels with a row of padding, a window name and one colour table entry, as XWDFile.h lays it out. */
function dump({ bitsPerPixel = 32, byteOrder = 0 } = {}): Buffer {
  const words = new Array<number>(25).fill(0);
  const [headerBytes, stride] = [104, 16];
  Object.assign(words, { 0: headerBytes, 1: 7, 4: 3, 5: 2, 7: byteOrder, 11: bitsPerPixel, 12: stride, 19: 1 });
  const header = Buffer.alloc(headerBytes + 12);
  for (const [index, word] of words.entries()) header.writeUInt32BE(word, index * 4);
  const pixels = Buffer.alloc(stride * 2);
  const colours = [0xff0000, 0x00ff00, 0x0000ff, 0x010203, 0x040506, 0x070809];
  for (const [index, colour] of colours.entries()) {
    const at = Math.floor(index / 3) * stride + (index % 3) * 4;
    if (byteOrder === 0) pixels.writeUInt32LE(colour, at);
    else pixels.writeUInt32BE(colour, at);
  }
  return Buffer.concat([header, pixels]);
}

/** The parts of a PNG file, each with its check value verified. */
function chunks(png: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(body));
    found.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += 12 + length;
  }
  return found;
}

test('refuses a window dump that is cut short', () => {
  assert.throws(() => readWindowDump(dump().subarray(0, -1)), /cut short/);
});

test('refuses a window dump of another depth', () => {
  assert.throws(() => readWindowDump(dump({ bitsPerPixel: 16 })), /16 bits/);
});

test('does not take a picture for a blank screen, nor a blank screen for a picture', () => {
  const picture = readWindowDump(dump());
  assert.equal(isBlank(picture), false);
  picture.pixels.fill(7);
  assert.equal(isBlank(picture), true);
});

for (const byteOrder of [0, 1]) {
  test(`turns a window dump of byte order ${byteOrder} into a PNG with the same colours`, () => {
    const parts = chunks(encodePng(readWindowDump(dump({ byteOrder }))));
    assert.equal(parts.get('IHDR')?.toString('hex'), '00000003000000020802000000');
    const rows = inflateSync(parts.get('IDAT') ?? Buffer.alloc(0)).toString('hex');
    assert.equal(rows, '00ff000000ff000000ff' + '00010203040506070809');
  });
}

/** A display of its own whose pixels are a file: what stands there is what a passer-by would see. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

export type Rgb = readonly [red: number, green: number, blue: number];

export interface Display {
  /** Value for DISPLAY, such as `:7`. */
  readonly name: string;
  /** The pixel that stands on the display now. */
  pixel(x: number, y: number): Rgb;
  /** The upper left part of the display as it stands now: rows of red, green and blue. */
  picture(width: number, height: number): Buffer;
  stop(): Promise<void>;
}

/** Where the pixels begin in an X window dump of 32 bits per pixel, and how long a row is (XWDFile.h). */
function layoutOf(file: number): { start: number; stride: number } {
  const header = Buffer.alloc(100);
  readSync(file, header, 0, header.length, 0);
  const word = (index: number) => header.readUInt32BE(index * 4);
  if (word(1) !== 7 || word(11) !== 32) throw new Error('the framebuffer is not a 32-bit window dump');
  return { start: word(0) + word(19) * 12, stride: word(12) };
}

/** Starts Xvfb on a free display number; rejects when it cannot start. */
export async function startDisplay(width: number, height: number): Promise<Display> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'signet-display-'));
  const screen = ['-screen', '0', `${width}x${height}x24`, '-fbdir', folder];
  const server = spawn('Xvfb', ['-displayfd', '3', ...screen, '-nolisten', 'tcp', '-noreset'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const gone = once(server, 'exit');
  const announced = once(server.stdio[3] as Readable, 'data').then(([bytes]) => String(bytes).trim());
  const number = await Promise.race([announced, gone.then(() => '')]);
  if (number === '') throw new Error('Xvfb did not start');
  const file = openSync(path.join(folder, 'Xvfb_screen0'), 'r');
  const { start, stride } = layoutOf(file);
  const bytes = Buffer.alloc(4);
  return {
    name: `:${number}`,
    pixel(x, y) {
      readSync(file, bytes, 0, 4, start + y * stride + x * 4);
      return [bytes[2] as number, bytes[1] as number, bytes[0] as number];
    },
    picture(width, height) {
      const row = Buffer.alloc(width * 4);
      const rgb = Buffer.alloc(width * height * 3);
      for (let y = 0; y < height; y += 1) {
        readSync(file, row, 0, row.length, start + y * stride);
        for (let x = 0; x < width; x += 1) {
          const at = (y * width + x) * 3;
          rgb[at] = row[x * 4 + 2] as number;
          rgb[at + 1] = row[x * 4 + 1] as number;
          rgb[at + 2] = row[x * 4] as number;
        }
      }
      return rgb;
    },
    async stop() {
      closeSync(file);
      server.kill();
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

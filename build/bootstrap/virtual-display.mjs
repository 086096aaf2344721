import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startCompanion } from './companion.mjs';
import { SetupError } from './narration.mjs';

/**
 * @typedef {object} VirtualDisplay
 * @property {string} display value for DISPLAY, such as `:3`
 * @property {string} framebuffer file that holds the screen's pixels as they are now (X window dump)
 * @property {import('./companion.mjs').Companion} companion
 * @property {() => Promise<void>} stop
 */

/**
 * Start an X server without a screen, on a display number that it chooses itself.
 * @param {{width?: number, height?: number}} [size] pixels, 1920×1080 where absent
 * @returns {Promise<VirtualDisplay>}
 * @throws {SetupError}
 */
export async function startVirtualDisplay({ width = 1920, height = 1080 } = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'signet-display-'));
  await mkdir(folder, { recursive: true });
  const screen = ['-screen', '0', `${width}x${height}x24`, '-fbdir', folder];
  const companion = startCompanion('Xvfb', 'Xvfb', ['-displayfd', '3', ...screen, '-nolisten', 'tcp', '-noreset'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await Promise.race([firstLine(companion.process.stdio[3]), companion.ended.then(() => undefined)]);
  const stop = async () => {
    await companion.stop();
    await rm(folder, { recursive: true, force: true });
  };
  if (number === undefined) {
    await stop();
    throw new SetupError(
      'Xvfb did not start',
      'see that /tmp/.X11-unix belongs to root with mode 1777, then try again',
    );
  }
  return { display: `:${number}`, framebuffer: path.join(folder, 'Xvfb_screen0'), companion, stop };
}

/**
 * @param {any} stream
 * @returns {Promise<string | undefined>} undefined when it ends without one
 */
function firstLine(stream) {
  return new Promise((resolve) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (/** @type {string} */ part) => {
      text += part;
      if (text.includes('\n')) resolve(text.split('\n')[0]);
    });
    stream.once('end', () => resolve(undefined));
  });
}

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { encodePng, isBlank, readFramebuffer } from '../bootstrap/framebuffer.mjs';
import { narrate } from '../bootstrap/narration.mjs';

const SAMPLE_EVERY_MS = 150;
const SETTLED_WITHIN_MS = 2000;
const PAINTED_WITHIN_MS = 15_000;

/**
 * Photographs a virtual display: each state once, in order.
 * @param {string} framebuffer
 * @param {string} folder absolute, made when missing
 */
export function createPhotographer(framebuffer, folder) {
  /** @type {Promise<void>} */
  let queue = Promise.resolve();
  const taken = new Set();
  const over = new AbortController();

  const take = async (/** @type {string} */ name) => {
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, `${name}.png`);
    await writeFile(file, encodePng(await settled(framebuffer, over.signal)));
    narrate('picture', file);
  };

  return {
    /** @param {string} name such as `1-registration`; a name is photographed once */
    photograph(name) {
      if (taken.has(name)) return queue;
      taken.add(name);
      queue = queue
        .then(() => take(name))
        .catch((error) => {
          if (!over.signal.aborted) narrate('picture', `${name} could not be taken: ${error.message}`);
        });
      return queue;
    },
    /** Give up what is not taken yet; resolves when the display is no longer needed. */
    async stop() {
      over.abort();
      await queue;
    },
  };
}

/**
 * The screen once something is painted and a transition is over. A frame buffer gives no event, so it is
 * sampled; a moving picture never settles and is taken as it is after a while.
 * @param {string} framebuffer
 * @param {AbortSignal} signal
 */
async function settled(framebuffer, signal) {
  const startedAt = performance.now();
  let last = await readFramebuffer(framebuffer);
  for (;;) {
    await after(SAMPLE_EVERY_MS, undefined, { signal });
    const next = await readFramebuffer(framebuffer);
    const waited = performance.now() - startedAt;
    const still = next.pixels.equals(last.pixels);
    if (isBlank(next) ? waited > PAINTED_WITHIN_MS : still || waited > SETTLED_WITHIN_MS) return next;
    last = next;
  }
}

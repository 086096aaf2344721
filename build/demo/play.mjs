import path from 'node:path';
import process from 'node:process';
import { electronOrigin } from '../bootstrap/electron.mjs';
import { narrate, SetupError } from '../bootstrap/narration.mjs';
import { startVirtualDisplay } from '../bootstrap/virtual-display.mjs';
import { startPlayer } from './player.mjs';
import { startReferenceServer } from './reference-server.mjs';
import { createPhotographer } from './screenshots.mjs';
import { startSoftwareTpm } from './software-tpm.mjs';
import { createTour } from './tour.mjs';
import { deliverTpm } from './tpm-maker.mjs';

/**
 * Start everything, follow the player, end everything in reverse order: player, server, TPM, display.
 * @param {import('./options.mjs').DemoOptions} options
 * @returns {Promise<number>} exit code
 * @throws {SetupError} when a part does not start or ends by itself
 */
export async function playDemo(options) {
  /** @type {(() => Promise<void>)[]} */
  const endings = [];
  const asked = endRequest(options.forMs);
  try {
    return await play(options, asked, endings);
  } finally {
    for (const end of endings.reverse()) await end();
    asked.dispose();
    narrate('demo', 'everything that was started has ended');
  }
}

/**
 * @param {import('./options.mjs').DemoOptions} options
 * @param {ReturnType<typeof endRequest>} asked
 * @param {(() => Promise<void>)[]} endings gets what ends each started part
 */
async function play(options, asked, endings) {
  const wantsVirtual = options.virtual || !(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  const virtual = wantsVirtual ? await startVirtualDisplay() : undefined;
  if (virtual) {
    endings.push(virtual.stop);
    narrate('display', `virtual, ${virtual.display}; screenshots go to ${options.screenshots}`);
  }
  const makerPem = await deliverTpm(path.join(options.state, 'tpm-maker'), path.join(options.state, 'tpm'));
  const tpm = await startSoftwareTpm(path.join(options.state, 'tpm'));
  endings.push(tpm.stop);
  narrate('tpm', `software TPM at ${tpm.tcti}`);
  const backend = await startReferenceServer(path.join(options.state, 'server'), options.serverPort, makerPem);
  endings.push(() => backend.close());
  narrate('server', `${backend.origin}, console with operator token ${backend.operatorToken}`);
  if (asked.already()) return 0;

  const photographer = virtual && createPhotographer(virtual.framebuffer, options.screenshots);
  const tour = createTour(options, backend, photographer);
  narrate('player', `Electron ${await electronOrigin()}`);
  const wiring = { state: options.state, origin: backend.origin, caFile: backend.caFile, tcti: tpm.tcti };
  const player = await startPlayer({ ...wiring, display: virtual?.display }, tour.follow);
  endings.push(player.stop);
  endings.push(async () => {
    tour.stop();
    await photographer?.stop();
  });
  asked.startClock();

  const parts = [player, tpm.companion, ...(virtual ? [virtual.companion] : [])];
  const died = parts.map((part) => part.ended.then((how) => ({ part, how })));
  const end = await Promise.race([asked.ended, ...died]);
  if (end === undefined) return 0;
  const said = tour.lastTrouble();
  throw new SetupError(
    `${end.part.name} ended by itself (${end.how})${said ? `: ${said}` : ''}`,
    `read ${player.logFile}; npm start -- --fresh starts over with a new TPM and a new registration`,
  );
}

/**
 * Ctrl-C, SIGTERM or the end of --for.
 * @param {number | undefined} forMs
 */
function endRequest(forMs) {
  let isAsked = false;
  /** @type {() => void} */
  let ask = () => undefined;
  /** @type {Promise<undefined>} */
  const ended = new Promise((resolve) => {
    ask = () => {
      if (!isAsked) narrate('demo', 'ending player, server, TPM and display');
      isAsked = true;
      resolve(undefined);
    };
  });
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  for (const signal of signals) process.on(signal, ask);
  /** @type {NodeJS.Timeout | undefined} */
  let clock;
  return {
    ended,
    already: () => isAsked,
    startClock() {
      if (forMs !== undefined) clock = setTimeout(ask, forMs);
    },
    dispose() {
      clearTimeout(clock);
      for (const signal of signals) process.removeListener(signal, ask);
    },
  };
}

import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';
import { electronBinary, inCheckout } from '../bootstrap/checkout.mjs';
import { startCompanion } from '../bootstrap/companion.mjs';

/**
 * @typedef {Record<string, unknown> & {event: string}} LogLine one structured line of the player's log
 */

/**
 * Write the settings file and start the player with it.
 * @param {{state: string, origin: string, caFile: string, tcti: string, display: string | undefined}} wiring
 * @param {(line: LogLine) => void} onLog
 * @returns {Promise<import('../bootstrap/companion.mjs').Companion & {logFile: string}>}
 */
export async function startPlayer({ state, origin, caFile, tcti, display }, onLog) {
  const settingsFile = path.join(state, 'settings.json');
  const directory = path.join(state, 'player');
  const logFile = path.join(state, 'player.log');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const settings = { server: { origin, caFile }, identity: { tcti, deviceCaFile: caFile }, state: { directory } };
  await writeFile(settingsFile, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  const env = { ...process.env, ...(display === undefined ? {} : { DISPLAY: display }) };
  const words = [inCheckout('dist/release/main.cjs'), '--settings', settingsFile];
  const companion = startCompanion('player', electronBinary, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile);
  companion.process.stderr?.pipe(log, { end: false });
  const lines = readline.createInterface({ input: /** @type {any} */ (companion.process.stdout) });
  lines.on('line', (text) => {
    log.write(`${text}\n`);
    const line = parseLine(text);
    if (line !== undefined) onLog(line);
  });
  companion.ended.then(() => log.end());
  return { ...companion, logFile };
}

/** @param {string} text @returns {LogLine | undefined} undefined for lines that are not the player's own */
function parseLine(text) {
  if (!text.startsWith('{')) return undefined;
  try {
    const line = JSON.parse(text);
    return typeof line.event === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}

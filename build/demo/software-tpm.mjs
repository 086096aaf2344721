import { existsSync, watch } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { startCompanion } from '../bootstrap/companion.mjs';
import { SetupError } from '../bootstrap/narration.mjs';

/** CMD_GET_CAPABILITY of swtpm's control channel (swtpm_ioctls(8)), 32 bits big-endian. */
const getCapability = Buffer.from([0, 0, 0, 1]);

/**
 * Start a software TPM.
 * @param {string} stateFolder where its seeds and keys live between runs
 * @returns {Promise<{tcti: string, companion: import('../bootstrap/companion.mjs').Companion, stop: () => Promise<void>}>}
 * @throws {SetupError}
 */
export async function startSoftwareTpm(stateFolder) {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  // UNIX socket addresses end at 107 bytes, so the sockets do not live below the state folder.
  const sockets = await mkdtemp(path.join(os.tmpdir(), 'signet-tpm-'));
  const server = path.join(sockets, 'tpm');
  // tpm2-tss looks for the control channel beside the server's socket, under this name.
  const control = `${server}.ctrl`;
  const channels = ['--server', `type=unixio,path=${server}`, '--ctrl', `type=unixio,path=${control}`];
  const start = ['--flags', 'not-need-init,startup-clear'];
  const seen = appears(sockets, control);
  const companion = startCompanion(
    'swtpm',
    'swtpm',
    ['socket', '--tpm2', '--tpmstate', `dir=${stateFolder}`, ...channels, ...start],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  // It reports every client that comes and goes; only its last words are of interest.
  let lastWords = '';
  companion.process.stderr?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    lastWords = text.trim().split('\n').at(-1) ?? lastWords;
  });
  const stop = async () => {
    await companion.stop();
    await rm(sockets, { recursive: true, force: true });
  };
  const failure = await Promise.race([seen.then(() => answers(control)), companion.ended]);
  if (failure !== undefined) {
    await stop();
    const remedy = `see whether another swtpm uses ${stateFolder}; --fresh starts with a new TPM`;
    throw new SetupError(`the software TPM did not start: ${failure}, ${lastWords}`, remedy);
  }
  return { tcti: `swtpm:path=${server}`, companion, stop };
}

/**
 * @param {string} folder
 * @param {string} file in it
 * @returns {Promise<void>}
 */
function appears(folder, file) {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    });
    watcher.unref();
  });
}

/**
 * The control channel is asked, not the TPM's own socket: that one serves a single client.
 * @param {string} control
 * @returns {Promise<undefined>} resolves once swtpm answers
 */
function answers(control) {
  return new Promise((resolve) => {
    const socket = net.connect(control, () => socket.write(getCapability));
    socket.once('data', () => socket.end(() => resolve(undefined)));
    // Between bind(2) and listen(2) a socket file exists that refuses.
    socket.once('error', () => setImmediate(() => answers(control).then(resolve)));
  });
}

import { spawn } from 'node:child_process';
import process from 'node:process';

const TERMINATE_WITHIN_MS = 10_000;

/**
 * @typedef {object} Companion a program that runs beside this one
 * @property {string} name
 * @property {import('node:child_process').ChildProcess} process
 * @property {Promise<string>} ended resolves with how it ended, such as `exit code 1`
 * @property {() => Promise<void>} stop ends it (SIGTERM, at last SIGKILL) and waits for it
 */

/**
 * Start a program that ends with this one in every case. It is outside the terminal's process group,
 * so that Ctrl-C leaves the order of ending to this program; should this program be killed, the kernel
 * ends the companion (PR_SET_PDEATHSIG).
 * @param {string} name
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{stdio: import('node:child_process').StdioOptions, env?: NodeJS.ProcessEnv, cwd?: string}} options
 * @returns {Companion}
 */
export function startCompanion(name, program, args, options) {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', program, ...args], {
    ...options,
    env: options.env ?? process.env,
    detached: true,
  });
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (!running()) return void (await ended);
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), TERMINATE_WITHIN_MS);
    await ended;
    clearTimeout(force);
  };
  return { name, process: child, ended, stop };
}

import { spawn } from 'node:child_process';
import process from 'node:process';

const TIDY_WITHIN_MS = 10_000;
const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Run a suite's program, its output streamed, in a process group of its own that is ended with it:
 * a test that leaves a program behind, or hangs, does not outlive its suite.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{env: NodeJS.ProcessEnv, limitMs: number}} options
 * @returns {Promise<string | undefined>} why it could not be judged (time, signal); undefined when it ended by itself
 */
export function limitedRun(program, args, { env, limitMs }) {
  return new Promise((resolve) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const signalGroup = (/** @type {NodeJS.Signals} */ signal) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // Nothing of the group is left.
      }
    };
    // Runners that are interrupted end what they launched in groups of their own, such as Electron.
    const end = () => {
      signalGroup('SIGINT');
      setTimeout(() => signalGroup('SIGKILL'), TIDY_WITHIN_MS).unref();
    };
    /** @type {string | undefined} */
    let reason;
    const limit = setTimeout(() => {
      reason = `not done within ${limitMs / 1000} s`;
      end();
    }, limitMs);
    const interrupted = () => {
      reason = 'interrupted';
      end();
    };
    for (const signal of signals) process.once(signal, interrupted);
    const finish = (/** @type {string | undefined} */ why) => {
      clearTimeout(limit);
      for (const signal of signals) process.removeListener(signal, interrupted);
      signalGroup('SIGKILL');
      resolve(why);
    };
    child.once('error', (error) => finish(error.message));
    child.once('exit', (_code, signal) => {
      finish(reason ?? (signal === null ? undefined : `ended by ${signal}`));
    });
  });
}

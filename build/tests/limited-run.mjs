import { spawn } from 'node:child_process';
import process from 'node:process';

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
    const endGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nothing of the group is left.
      }
    };
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      endGroup();
    }, limitMs);
    const interrupted = () => {
      endGroup();
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    const finish = (/** @type {string | undefined} */ reason) => {
      clearTimeout(limit);
      process.removeListener('SIGINT', interrupted).removeListener('SIGTERM', interrupted);
      endGroup();
      resolve(reason);
    };
    child.once('error', (error) => finish(error.message));
    child.once('exit', (_code, signal) => {
      if (isLate) finish(`not done within ${limitMs / 1000} s`);
      else finish(signal === null ? undefined : `ended by ${signal}`);
    });
  });
}

import { spawn } from 'node:child_process';
import process from 'node:process';
import { SetupError } from './narration.mjs';

/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [quiet] keep the output instead of showing it (on stderr)
 */

/**
 * Run a program to its end without a shell and without stdin.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>} the code is 128 + n after signal n,
 *   127 when the program could not be started; output is empty unless `quiet`
 */
export function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.once('error', (error) => resolve({ code: 127, stdout, stderr: `${stderr}${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
}

/**
 * Run a program that must succeed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {CommandOptions & {remedy: string}} options
 * @returns {Promise<string>} stdout when `quiet`
 * @throws {SetupError} with the given remedy
 */
export async function must(program, args, options) {
  const result = await run(program, args, options);
  if (result.code === 0) return result.stdout;
  const said = result.stderr.trim().split('\n').at(-1);
  throw new SetupError(
    `${program} ${args.slice(0, 3).join(' ')} ended with ${result.code}${said ? `: ${said}` : ''}`,
    options.remedy,
  );
}

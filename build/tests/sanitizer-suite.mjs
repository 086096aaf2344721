import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { run } from '../bootstrap/command.mjs';
import { runNodeSuite } from './node-suite.mjs';
import { provideSanitizedAddon, sanitizerEnvironment } from './sanitized-addon.mjs';

/** Fails unless the addon that node-tss loads is the one named, and calls into AddressSanitizer. */
const probe = `
const { readFileSync } = require('node:fs');
const { execFileSync } = require('node:child_process');
require('node-tss');
const addon = process.env.SIGNET_TEST_ADDON;
const loaded = readFileSync('/proc/self/maps', 'utf8').match(/\\S+node_tss\\.node/g) ?? [];
const symbols = execFileSync('nm', ['-D', '--undefined-only', addon], { env: { PATH: process.env.PATH } }).toString();
process.exit(loaded.length > 0 && loaded.every((file) => file === addon) && symbols.includes('__asan_report') ? 0 : 1);
`;

/**
 * The native tests with an addon built with AddressSanitizer and UndefinedBehaviorSanitizer.
 * @param {{display: string, limitMs: number}} context
 * @returns {Promise<import('./outcome.mjs').Outcome>}
 */
export async function runSanitizerSuite(context) {
  const env = await sanitizerEnvironment(await provideSanitizedAddon());
  const options = { cwd: inCheckout(), env: { ...process.env, ...env } };
  if ((await run(process.execPath, ['-e', probe], options)).code !== 0)
    return { passed: 0, failed: 1, skipped: 0, crash: 'the tests would not run the sanitized addon' };
  const outcome = await runNodeSuite({ name: 'sanitizers', folders: ['native'], env }, context);
  return { ...outcome, passed: outcome.passed + 1 };
}

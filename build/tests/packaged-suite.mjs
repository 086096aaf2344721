import { rm } from 'node:fs/promises';
import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { run } from '../bootstrap/command.mjs';
import { runNodeSuite } from './node-suite.mjs';

/** The first run makes two Debian systems, and each file holds the life of a package. */
const FILE_WITHIN_MS = 900_000;

/**
 * Make the packages, twice the same, and live through their life in clean systems. Run as root where `npm test` is: what is tested is
 * installed there by root; the player itself never runs as root.
 * @param {{display: string, limitMs: number}} context
 * @returns {Promise<import('./outcome.mjs').Outcome>}
 */
export async function runPackagedSuite(context) {
  const out = inCheckout('.runtime/packaged/out');
  await rm(out, { recursive: true, force: true });
  for (const words of [['--fast', '--verify-reproducible'], ['--test-build']]) {
    const { code } = await run(process.execPath, [inCheckout('build/dist.mjs'), ...words, '--out', out], {
      cwd: inCheckout(),
    });
    if (code !== 0) return { passed: 0, failed: 1, skipped: 0, crash: `npm run dist ${words.join(' ')} failed` };
  }
  // Root writes nothing where the unprivileged user could have put a link.
  const results = process.getuid?.() === 0 ? inCheckout('.runtime/packaged') : inCheckout('test-results');
  return runNodeSuite(
    { name: 'packaged', folders: ['packaged'], results },
    { ...context, fileLimitMs: FILE_WITHIN_MS },
  );
}

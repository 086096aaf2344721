import { mkdir, readFile, rm } from 'node:fs/promises';
import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { runNodeSuite } from './node-suite.mjs';

/**
 * The chaos suite, and the table of what its rows found.
 * @param {{display: string, limitMs: number}} context
 * @returns {Promise<import('./outcome.mjs').Outcome>}
 */
export async function runChaosSuite(context) {
  const rows = inCheckout('test-results/chaos-rows.jsonl');
  await mkdir(inCheckout('test-results'), { recursive: true });
  await rm(rows, { force: true });
  const full = process.env.SIGNET_CHAOS === 'full';
  const limits = full ? { limitMs: 120 * 60_000, fileLimitMs: 60 * 60_000 } : { fileLimitMs: 600_000 };
  const env = { SIGNET_CHAOS_ROWS: rows };
  const outcome = await runNodeSuite({ name: 'chaos', folders: ['chaos'], env }, { ...context, ...limits });
  const text = await readFile(rows, 'utf8').catch(() => '');
  process.stdout.write(
    `\n${tableOf(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    )}\n`,
  );
  return outcome;
}

/**
 * @typedef {object} Row as test/chaos/support/record.ts has it
 * @property {string} row
 * @property {string} fault
 * @property {number} n
 * @property {string} screen
 * @property {string[]} reported
 * @property {number[]} recoveryMs
 * @property {string} caught
 */

/** @param {readonly Row[]} rows @returns {string} */
function tableOf(rows) {
  const heads = ['row', 'fault', 'N', 'on the screen', 'reported', 'recovery p50 / p95', 'planted bug caught'];
  const cells = rows
    .toSorted((a, b) => a.row.localeCompare(b.row, 'en', { numeric: true }))
    .map(({ row, fault, n, screen, reported, recoveryMs, caught }) => {
      const times = [0.5, 0.95].map((share) => `${(quantile(recoveryMs, share) / 1_000).toFixed(2)} s`);
      const recovery = recoveryMs.length === 0 ? 'not measured' : times.join(' / ');
      return [
        row,
        fault,
        String(n),
        screen,
        reported.join(' ') || 'nothing',
        recovery,
        caught.slice(0, 240).replaceAll('|', '/'),
      ];
    });
  return [heads, heads.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** @param {readonly number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

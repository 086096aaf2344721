import { mkdir, readFile, rm } from 'node:fs/promises';
import process from 'node:process';
import { electronBinary, inCheckout } from '../bootstrap/checkout.mjs';
import { limitedRun } from './limited-run.mjs';
import { scenarioTable } from './scenario-table.mjs';

/**
 * Run one project of test/ui/playwright.config.ts.
 * @param {string} project
 * @param {{display: string, limitMs: number}} context
 * @returns {Promise<import('./outcome.mjs').Outcome>}
 */
export async function runPlaywrightSuite(project, { display, limitMs }) {
  const report = inCheckout('test-results', `ui-${project}.json`);
  await mkdir(inCheckout('test-results'), { recursive: true });
  await rm(report, { force: true });
  const rows = inCheckout('test-results', `scenarios-${project}.jsonl`);
  await rm(rows, { force: true });
  const cli = inCheckout('node_modules/playwright/cli.js');
  const config = inCheckout('test/ui/playwright.config.ts');
  const trouble = await limitedRun(
    process.execPath,
    [cli, 'test', '-c', config, `--project=${project}`, '--reporter=list,json'],
    {
      env: {
        DISPLAY: display,
        SIGNET_ELECTRON: electronBinary,
        SIGNET_SCENARIO_ROWS: rows,
        PLAYWRIGHT_JSON_OUTPUT_FILE: report,
      },
      limitMs,
    },
  );
  process.stdout.write(await scenarioTable(rows));
  const text = await readFile(report, 'utf8').catch(() => '');
  if (text === '') return { passed: 0, failed: 0, skipped: 0, crash: trouble ?? 'the runner ended without a result' };
  const { stats, errors } = JSON.parse(text);
  // A test that passed only when repeated has failed.
  const counts = { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped };
  const reason = trouble ?? errors[0]?.message ?? (counts.passed + counts.failed === 0 ? 'no test ran' : undefined);
  return reason === undefined ? counts : { ...counts, crash: reason };
}

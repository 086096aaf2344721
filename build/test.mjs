import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { inCheckout } from './bootstrap/checkout.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { assertWritable, asUnprivileged, isRunPhase } from './bootstrap/unprivileged.mjs';
import { startVirtualDisplay } from './bootstrap/virtual-display.mjs';
import { bundleDemo, bundleRelease, bundleTests } from './bundle.mjs';
import { setup } from './setup.mjs';
import { summarize } from './tests/outcome.mjs';
import { suites } from './tests/suites.mjs';

const help = `npm test — set up, build, and run every suite on a virtual display

Suites: ${suites.map(({ name }) => name).join(', ')}

  --only NAME,NAME   only these suites
  --help             this text

The last line reads "N passed, N failed"; the exit code is 0 only without failures.
`;

/** @throws {SetupError} */
function readOptions() {
  try {
    const flags = /** @type {const} */ ({ only: { type: 'string' }, help: { type: 'boolean', default: false } });
    const { values } = parseArgs({ options: flags });
    const names = values.only?.split(',') ?? suites.map(({ name }) => name);
    const chosen = suites.filter(({ name }) => names.includes(name));
    const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
    if (unknown.length > 0) throw new Error(`there is no suite ${unknown.join(', ')}`);
    return { help: values.help, chosen };
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), 'npm test -- --help lists the suites');
  }
}

/** @typedef {{name: string, title: string, outcome: import('./tests/outcome.mjs').Outcome, seconds: number}} SuiteResult */

/** What the suites that run as root came to, for the part of this command that does not. */
const resultsOfRoot = inCheckout('.runtime/suites-as-root.json');

/** @param {readonly import('./tests/outcome.mjs').Suite[]} chosen @returns {Promise<SuiteResult[]>} */
async function runSuites(chosen) {
  if (chosen.length === 0) return [];
  const virtual = await startVirtualDisplay();
  /** @type {SuiteResult[]} */
  const results = [];
  try {
    for (const { name, title, limitMs, run } of chosen) {
      narrate('test', title);
      const startedAt = performance.now();
      const outcome = await run({ display: virtual.display, limitMs });
      results.push({ name, title, outcome, seconds: (performance.now() - startedAt) / 1000 });
      if (outcome.crash?.startsWith('interrupted')) break;
    }
  } finally {
    await virtual.stop();
  }
  return results;
}

/** @param {readonly SuiteResult[]} results @returns {number} exit code */
function tell(results) {
  const { text, failed } = summarize(results);
  process.stdout.write(`\n${text}\n`);
  return failed === 0 ? 0 : 1;
}

await runMain(async () => {
  const options = readOptions();
  if (options.help) return void process.stdout.write(help);
  const writable = [inCheckout('test-results')];
  const isSecondPart = isRunPhase();
  if (!isSecondPart) {
    await setup(['build', 'run', 'package', 'test']);
    narrate('build', 'bundling the player, the reference server and the tests');
    await bundleRelease();
    await bundleDemo();
    await bundleTests();
    const isRoot = process.getuid?.() === 0;
    const results = isRoot ? await runSuites(options.chosen.filter(({ asRoot }) => asRoot)) : [];
    // Making packages bundles anew, without what only the tests need.
    if (results.length > 0) {
      await bundleRelease();
      await bundleTests();
    }
    if (isRoot) await writeFile(resultsOfRoot, JSON.stringify(results), { mode: 0o644 });
    const code = await asUnprivileged(writable);
    if (code !== undefined) return code;
  }
  await assertWritable(writable);
  const done = isSecondPart ? JSON.parse(await readFile(resultsOfRoot, 'utf8').catch(() => '[]')) : [];
  const doneNames = done.map((/** @type {SuiteResult} */ { name }) => name);
  return tell([...(await runSuites(options.chosen.filter(({ name }) => !doneNames.includes(name)))), ...done]);
});

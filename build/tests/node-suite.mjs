import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { limitedRun } from './limited-run.mjs';

/** @typedef {import('./outcome.mjs').Outcome} Outcome */

/** A test file that hangs fails by its name, well before its suite is ended. */
const FILE_WITHIN_MS = 180_000;

/**
 * Run the bundled test files below some folders of dist/tests with node:test.
 * @param {{name: string, folders: readonly string[], runtime?: string, through?: readonly string[],
 *   env?: NodeJS.ProcessEnv, results?: string, only?: string, leaveOut?: RegExp}} what
 *   `runtime`: the program that stands for node, this node where absent; `through`: words in front of it; `results`:
 *   folder for the counts; `only`: part of the paths of the files that are run; `leaveOut`: files that are not
 * @param {{display: string, limitMs: number, fileLimitMs?: number}} context
 * @returns {Promise<Outcome>}
 */
export async function runNodeSuite(
  {
    name,
    folders,
    runtime = process.execPath,
    through = [],
    env = {},
    results = inCheckout('test-results'),
    ...choice
  },
  { display, limitMs, fileLimitMs = FILE_WITHIN_MS },
) {
  const found = (await Promise.all(folders.map(testFiles))).flat().sort();
  const files = found.filter((file) => file.includes(choice.only ?? '') && !choice.leaveOut?.test(file));
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0, crash: `no test files in ${folders.join(', ')}` };
  const countsFile = path.join(results, `${name}.json`);
  await mkdir(path.dirname(countsFile), { recursive: true });
  await rm(countsFile, { force: true });
  const reporter = inCheckout('build/tests/count-reporter.mjs');
  const reporters = [
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${countsFile}`],
  ];
  const options = [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=2',
    `--test-timeout=${fileLimitMs}`,
    ...reporters,
  ];
  const [program = runtime, ...words] = [...through, runtime, ...options, ...files];
  const trouble = await limitedRun(program, words, { env: { ...env, DISPLAY: display }, limitMs });
  return judge(trouble, countsFile);
}

/** @param {string} folder below dist/tests @returns {Promise<string[]>} */
async function testFiles(folder) {
  const root = inCheckout('dist/tests', folder);
  const names = await readdir(root, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.test.mjs')).map((name) => path.join(root, name));
}

/**
 * @param {string | undefined} trouble
 * @param {string} countsFile
 * @returns {Promise<Outcome>}
 */
async function judge(trouble, countsFile) {
  const text = await readFile(countsFile, 'utf8').catch(() => '');
  if (text === '') return { passed: 0, failed: 0, skipped: 0, crash: trouble ?? 'the runner ended without a result' };
  const { emptyFiles, ...counts } = JSON.parse(text);
  const reasons = [
    ...(trouble === undefined ? [] : [trouble]),
    ...(emptyFiles.length > 0 ? [`without tests: ${emptyFiles.join(', ')}`] : []),
    ...(counts.passed + counts.failed === 0 ? ['no test ran'] : []),
  ];
  return reasons.length > 0 ? { ...counts, crash: reasons.join('; ') } : counts;
}

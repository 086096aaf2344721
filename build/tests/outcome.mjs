/**
 * @typedef {object} Outcome what a suite came to
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string} [crash] why the suite itself counts as failed: it crashed, ran out of time, or held no tests
 */

/**
 * @typedef {object} Suite
 * @property {string} name for --only
 * @property {string} title
 * @property {true} [asRoot] runs before the drop to the unprivileged user where the command was started as root
 * @property {number} limitMs time after which the suite is ended and counts as failed
 * @property {(context: {display: string, limitMs: number}) => Promise<Outcome>} run
 */

/**
 * One row a suite and, as the very last line, the sum.
 * @param {readonly {title: string, outcome: Outcome, seconds: number}[]} results
 * @returns {{text: string, failed: number}}
 */
export function summarize(results) {
  const wide = Math.max(5, ...results.map(({ title }) => title.length));
  const row = (/** @type {readonly (string | number)[]} */ [title = '', ...cells]) =>
    `${String(title).padEnd(wide)}${cells.map((cell) => String(cell).padStart(9)).join('')}`;
  const lines = [row(['suite', 'passed', 'failed', 'skipped', 'seconds'])];
  let passed = 0;
  let failed = 0;
  for (const { title, outcome, seconds } of results) {
    // A suite that crashed or ran nothing is a failure of its own beside those of its tests.
    const suiteFailed = outcome.failed + (outcome.crash === undefined ? 0 : 1);
    lines.push(row([title, outcome.passed, suiteFailed, outcome.skipped, seconds.toFixed(1)]));
    if (outcome.crash !== undefined) lines.push(`  ${outcome.crash}`);
    passed += outcome.passed;
    failed += suiteFailed;
  }
  if (results.length === 0) failed += 1;
  lines.push('', `${passed} passed, ${failed} failed`);
  return { text: lines.join('\n'), failed };
}

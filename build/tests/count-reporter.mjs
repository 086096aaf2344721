/**
 * A node:test reporter that ends with one JSON object: how many tests passed, failed and were skipped,
 * and the files that held no test. The runner itself passes a file without tests.
 * @param {AsyncIterable<{type: string, data: any}>} events
 * @returns {AsyncGenerator<string>}
 */
export async function* countReporter(events) {
  const counts = { passed: 0, failed: 0, skipped: 0, emptyFiles: /** @type {string[]} */ ([]) };
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') continue;
    const isFile = data.nesting === 0 && data.name.endsWith('.test.mjs');
    if (type === 'test:fail') counts.failed += 1;
    else if (isFile) counts.emptyFiles.push(data.name);
    else if (data.skip !== undefined || data.todo !== undefined) counts.skipped += 1;
    else counts.passed += 1;
  }
  yield `${JSON.stringify(counts)}\n`;
}

// biome-ignore lint/style/noDefaultExport: node --test-reporter takes a module's default export
export default countReporter;

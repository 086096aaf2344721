import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildModule } from './build-module.ts';

const { summarize } = await buildModule('tests/outcome.mjs');
const { countReporter } = await buildModule('tests/count-reporter.mjs');

const lastLine = (text: string) => text.split('\n').at(-1);

test('counts a suite that crashed as a failure though its tests passed', () => {
  const outcome = { passed: 3, failed: 0, skipped: 0, crash: 'ended by SIGSEGV' };
  const { text, failed } = summarize([{ title: 'native', outcome, seconds: 1 }]);
  assert.equal(failed, 1);
  assert.match(text, /ended by SIGSEGV/);
  assert.equal(lastLine(text), '3 passed, 1 failed');
});

test('does not call a run of no suites a success', () => {
  assert.equal(lastLine(summarize([]).text), '0 passed, 1 failed');
});

test('ends with the sum over all suites', () => {
  const results = [
    { title: 'one', outcome: { passed: 3, failed: 1, skipped: 1 }, seconds: 1 },
    { title: 'other', outcome: { passed: 4, failed: 2, skipped: 0 }, seconds: 2 },
  ];
  const { text, failed } = summarize(results);
  assert.equal(failed, 3);
  assert.equal(lastLine(text), '7 passed, 3 failed');
});

async function counted(events: readonly { type: string; data: object }[]) {
  async function* stream() {
    yield* events;
  }
  let text = '';
  for await (const part of countReporter(stream())) text += part;
  return JSON.parse(text);
}

test('does not count a file without tests as a passed test', async () => {
  const file = { type: 'test:pass', data: { name: 'dist/tests/unit/empty.test.mjs', nesting: 0, details: {} } };
  const counts = await counted([file]);
  assert.deepEqual(counts, { passed: 0, failed: 0, skipped: 0, emptyFiles: [file.data.name] });
});

test('counts a file that does not load as failed', async () => {
  const file = { type: 'test:fail', data: { name: 'dist/tests/unit/broken.test.mjs', nesting: 0, details: {} } };
  assert.equal((await counted([file])).failed, 1);
});

test('counts tests but not the groups around them', async () => {
  const counts = await counted([
    { type: 'test:pass', data: { name: 'refuses', nesting: 1, details: {} } },
    { type: 'test:pass', data: { name: 'group', nesting: 0, details: { type: 'suite' } } },
    { type: 'test:pass', data: { name: 'later', nesting: 0, details: {}, skip: true } },
    { type: 'test:diagnostic', data: { message: 'tests 3' } },
  ]);
  assert.deepEqual(counts, { passed: 1, failed: 0, skipped: 1, emptyFiles: [] });
});

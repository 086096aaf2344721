import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDelayMs, runDelayOf } from '../../../electron/shell/run-delay.ts';

test('the time that a page waited for a processor is read from the kernel', () => {
  assert.equal(runDelayMs('123456789 2500000000 77\n'), 2_500);
  assert.equal(runDelayMs(''), 0);
  assert.ok(runDelayOf(process.pid) >= 0);
  assert.equal(runDelayOf(2 ** 22 + 1), 0, 'no process has such a number');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../../electron/mtls/backoff.ts';

const justBelowOne = 1 - 2 ** -53;

test('never pauses so shortly that a failing loop would spin', () => {
  for (const attempt of [0, 1, 5, 1_000_000]) assert.equal(backoffMs(attempt, 0), 100);
});

test('never pauses for more than five minutes, however often it failed', () => {
  for (const attempt of [9, 30, 1_024, Number.MAX_SAFE_INTEGER]) {
    const ms = backoffMs(attempt, justBelowOne);
    assert.ok(ms >= 299_000 && ms <= 300_000, `${attempt}: ${ms}`);
  }
});

test('doubles the bound with every failure and draws evenly below it', () => {
  for (const [attempt, boundMs] of [
    [0, 1_000],
    [1, 2_000],
    [2, 4_000],
    [8, 256_000],
    [9, 300_000],
  ] as const) {
    assert.equal(backoffMs(attempt, 0.5), boundMs / 2);
    assert.equal(backoffMs(attempt, 0.25), boundMs / 4);
  }
});

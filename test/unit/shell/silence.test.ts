import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answersWithin } from '../../../electron/shell/silence.ts';

const never = new Promise<never>(() => {});
const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('one that never answers is silent once its time is over', async () => {
  const beganMs = performance.now();
  assert.equal(await answersWithin(60, never, () => 0, 10), false);
  // Timers of Node may come a millisecond early.
  assert.ok(performance.now() - beganMs >= 60 - 6);
});

test('any answer will do, also one with nothing', async () => {
  assert.equal(await answersWithin(60, Promise.resolve(undefined), () => 0, 10), true);
});

test('time in which the other one waits for a processor does not count', async () => {
  const beganMs = performance.now();
  const allTheTime = () => performance.now() - beganMs;
  assert.equal(await answersWithin(60, after(400), allTheTime, 10), true);
});

test('time in which this process does not run does not count', async () => {
  const asked = answersWithin(60, after(70), () => 0, 10);
  const beganMs = performance.now();
  while (performance.now() - beganMs < 300);
  assert.equal(await asked, true);
});

test('one that came to run again meanwhile still has no more than its time', async () => {
  let waitedMs = 0;
  let looks = 0;
  const atFirst = () => {
    looks += 1;
    if (looks < 10) waitedMs += 100;
    return waitedMs;
  };
  assert.equal(await answersWithin(60, never, atFirst, 10), false);
});

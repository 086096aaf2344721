import assert from 'node:assert/strict';
import test from 'node:test';
import { countsFrom, timeOf } from '../../../renderer/media/clock.ts';
import { transitionMs } from '../../../renderer/media/surface.ts';

test('an item stays as long as it is said, a picture 10 s else, a video to its end', () => {
  assert.deepEqual(
    [timeOf('image', 0.1), timeOf('video', 3), timeOf('image', null), timeOf('video', null)],
    [...[100, 3000], ...[10_000, null]],
  );
});

test('a thousand items that are each revealed 40 ms late end no later than one', () => {
  let dueMs: number | null = null;
  for (let count = 0; count < 1000; count += 1) {
    const revealedMs: number = (dueMs ?? 0) + 40;
    dueMs = countsFrom(dueMs, revealedMs, 1000) + 1000;
  }
  assert.equal(dueMs, 1000 * 1000 + 40);
});

test('a thousand items whose timers fire a fraction of a millisecond early end no earlier than one', () => {
  let dueMs: number | null = null;
  for (let count = 0; count < 1000; count += 1) {
    const revealedMs: number = Math.floor((dueMs ?? 0.9) * 10 - 1) / 10;
    dueMs = countsFrom(dueMs, revealedMs, 300) + 300;
  }
  assert.equal(Math.round((dueMs ?? 0) * 10) / 10, 1000 * 300 + 0.8);
});

test('an item that is very late gives up half of its time at most, and no more than a second', () => {
  assert.equal(countsFrom(0, 900, 10_000), 0);
  assert.equal(countsFrom(0, 5000, 10_000), 4000);
  assert.equal(countsFrom(0, 5000, 100), 4950);
  assert.equal(countsFrom(null, 5000, 100), 5000);
});

test('a transition takes a third of a short item at most', () => {
  assert.deepEqual([transitionMs(null, 0), transitionMs(10_000, 0), transitionMs(300, 0)], [700, 700, 100]);
  assert.deepEqual([transitionMs(null, 1100), transitionMs(10_000, 1450), transitionMs(300, 60_000)], [700, 350, 0]);
});

test('what an item had left when it stalled is not added to the time of the next', () => {
  assert.equal(countsFrom(60_000, 8000, 500), 8000);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { timeLeft, untilNext } from '../../../renderer/time.ts';
import { after } from '../../../renderer/timer.ts';

const longest = 2 ** 31 - 1;

test('a wait beyond the longest timer does not fire at once, and fires in the end', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let fired = 0;
  after(longest + 1000, () => {
    fired += 1;
  });
  context.mock.timers.tick(longest);
  assert.equal(fired, 0);
  context.mock.timers.tick(999);
  assert.equal(fired, 0);
  context.mock.timers.tick(1);
  assert.equal(fired, 1);
});

test('a wait with a fraction of a millisecond is not cut short, as a browser would', (context) => {
  const waits: number[] = [];
  context.mock.method(globalThis, 'setTimeout', (_callback: () => void, ms: number) => waits.push(Math.trunc(ms)));
  after(299.1, () => {});
  assert.deepEqual(waits, [300]);
});

test('a cancelled wait never fires, not even in its second part', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const cancel = after(longest + 1000, () => assert.fail('fired'));
  context.mock.timers.tick(longest);
  cancel();
  context.mock.timers.tick(2000);
});

test('an infinite wait sets no timer and a negative one is over at once', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  after(Number.POSITIVE_INFINITY, () => assert.fail('fired'));
  let fired = false;
  after(-5, () => {
    fired = true;
  });
  context.mock.timers.tick(1);
  assert.ok(fired);
  context.mock.timers.tick(longest);
});

test('time left is whole seconds, rounded up, and nothing once it is over', () => {
  assert.equal(timeLeft(900_000, 0), '15:00');
  assert.equal(timeLeft(61_000, 1), '1:01');
  assert.equal(timeLeft(1000, 1), '0:01');
  assert.equal(timeLeft(1000, 1000), null);
  assert.equal(timeLeft(0, 5000), null);
});

test('the next step of the clock is never now', () => {
  assert.equal(untilNext(1000, 5000), 1000);
  assert.equal(untilNext(1000, 5999), 1);
});

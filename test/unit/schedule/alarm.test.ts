import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAlarm, longestStepMs, type Ring } from '../../../electron/schedule/alarm.ts';
import { ScheduleClock } from '../../support/schedule-clock.ts';

const start = 1_700_000_000_000;

function setUp() {
  const clock = new ScheduleClock(start);
  const rings: [Ring, number][] = [];
  const alarm = createAlarm(clock, (why) => rings.push([why, clock.wallMs()]));
  return { clock, rings, alarm };
}

describe('alarm', () => {
  it('does not ring before its instant, however far off', () => {
    const { clock, rings, alarm } = setUp();
    const farMs = start + 2 ** 31 + 12_345; // above the longest timer of Node, 24.8 days
    alarm.set(farMs);
    clock.advance(farMs - start - 1);
    assert.deepEqual(rings, []);
    clock.advance(1);
    assert.deepEqual(rings, [['due', farMs]]);
  });

  it('never asks for a longer timer than it says', () => {
    const { clock, alarm } = setUp();
    alarm.set(start + 1e12);
    clock.advance(3_600_000);
    assert.ok(longestStepMs <= 1_000, 'a clock that was set is noticed within a second');
    assert.equal(Math.max(...clock.delays), longestStepMs);
    assert.ok(Math.min(...clock.delays) >= 0);
  });

  it('rings once, and at once for an instant that has passed', () => {
    const { clock, rings, alarm } = setUp();
    alarm.set(start - 5);
    clock.advance(120_000);
    assert.deepEqual(rings, [['due', start]]);
  });

  it('does not ring after it was set anew, taken back or stopped', () => {
    const { clock, rings, alarm } = setUp();
    alarm.set(start + 1_000);
    alarm.set(start + 50_000);
    clock.advance(20_000);
    alarm.set(null);
    clock.advance(100_000);
    alarm.set(start + 121_000);
    alarm.stop();
    clock.advance(100_000);
    assert.deepEqual(rings, []);
    assert.equal(clock.pending, 0);
  });

  it('notices within a step that the clock was set, forwards and backwards, also without an instant', () => {
    for (const leapMs of [3_600_000, -3_600_000]) {
      const { clock, rings } = setUp();
      clock.advance(40_000);
      clock.setWall(leapMs);
      clock.advance(longestStepMs);
      assert.deepEqual(
        rings.map(([why]) => why),
        ['clock-jumped'],
      );
    }
  });

  it('takes a suspended machine for a clock that jumped, and rings for what came due meanwhile but once', () => {
    const { clock, rings, alarm } = setUp();
    alarm.set(start + 60_000);
    clock.advance(10_500);
    clock.setWall(8 * 3_600_000); // the monotonic clock stands still in suspend
    clock.advance(longestStepMs);
    assert.deepEqual(
      rings.map(([why]) => why),
      ['clock-jumped'],
    );
    clock.advance(120_000);
    assert.equal(rings.length, 1);
  });

  it('takes a slewed clock for what it is', () => {
    const { clock, rings } = setUp();
    for (let step = 0; step < 3_600; step++) {
      clock.advance(longestStepMs);
      clock.setWall(0.5); // 500 ppm, as fast as adjtime slews
    }
    assert.deepEqual(rings, []);
  });
});

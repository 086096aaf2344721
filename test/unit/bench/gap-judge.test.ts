import assert from 'node:assert/strict';
import test from 'node:test';
import { driftOf, judge, passesOf } from '../../bench/gap-judge.ts';
import { itemsInRound, kinds, roundOf } from '../../bench/mark-media.ts';
import { barsOf, readRow, readSight, type Sight } from '../../bench/marks.ts';
import type { Change } from '../../bench/recorder.ts';

const levels = (bars: readonly boolean[]) => bars.map((white) => (white ? 235 : 16));
const row = (item: number, frame = 0) => levels(barsOf({ item, frame }));

/** What the display showed, each for so many milliseconds. */
function shown(...spells: readonly (readonly [sight: Sight, ms: number])[]): { changes: Change[]; endMs: number } {
  let atMs = 0;
  const changes = spells.map(([sight, ms]) => {
    const change = { atMs, sight };
    atMs += ms;
    return change;
  });
  return { changes, endMs: atMs };
}

const still = (item: number): Sight => ({ item, frame: 0 });
const none: ReadonlySet<number> = new Set();

test('every mark is read as what it is, whole, torn, mixed or gone', () => {
  for (let item = 0; item < 16; item += 1)
    for (const frame of [0, 1, 127, 255]) assert.deepEqual(readRow(row(item, frame)), { item, frame });
  assert.deepEqual(readSight([row(3), row(3), row(3)]), { item: 3, frame: 0 });
  assert.equal(readSight([row(3, 7), row(3, 8)]), 'torn');
  assert.equal(readSight([row(3), row(4)]), 'torn');
  assert.equal(readRow(row(3).map((level, at) => (level + (row(12)[at] ?? 0)) / 2)), 'torn');
  for (const ground of [0, 16, 100, 244, 255]) assert.equal(readRow(Array(16).fill(ground)), 'black');
  assert.equal(readSight([row(3), Array(16).fill(13)]), 'black');
});

test('one flipped bar is never read as another mark', () => {
  for (let at = 0; at < 16; at += 1) {
    const bars = barsOf({ item: 5, frame: 90 }).map((white, bar) => (bar === at ? !white : white));
    assert.equal(readRow(levels(bars)), 'torn', `bar ${at}`);
  }
});

test('a cut is a passage without black or wrong frames, as long as the painting takes', () => {
  const { changes, endMs } = shown([still(1), 500], ['torn', 6], [still(2), 500], ['torn', 4], [still(1), 500]);
  const { passages, blackWithin, wrongWithin } = judge(changes, [1, 2], none, endMs);
  assert.deepEqual(
    passages.map(({ from, to, gapMs, blackFrames, wrongFrames }) => [from, to, gapMs, blackFrames, wrongFrames]),
    [
      [1, 2, 6, 0, 0],
      [2, 1, 4, 0, 0],
    ],
  );
  assert.deepEqual([blackWithin, wrongWithin], [0, 0]);
});

test('planted faults are found: black, another item, the old one again, a mixture that stays, a clip in its middle', () => {
  const passage = (...between: readonly (readonly [Sight, number])[]) => {
    const { changes, endMs } = shown([still(1), 500], ...between, [still(2), 500]);
    const [first] = judge(changes, [1, 2, 3], none, endMs).passages;
    return [first?.blackFrames, first?.wrongFrames];
  };
  assert.deepEqual(passage(['black', 3]), [1, 0]);
  assert.deepEqual(passage(['black', 100]), [6, 0]);
  assert.deepEqual(passage([still(9), 17]), [0, 1]);
  assert.deepEqual(passage([still(3), 17]), [0, 1]);
  assert.deepEqual(passage(['torn', 50]), [0, 3]);
  const again = shown([still(1), 500], [still(2), 17], [still(1), 17], [still(2), 500]);
  const { passages, wrongWithin } = judge(again.changes, [1, 2, 3], none, again.endMs);
  assert.ok(passages.reduce((sum, { wrongFrames }) => sum + wrongFrames, wrongWithin) > 0);
  const middle = shown([still(1), 500], [{ item: 5, frame: 40 }, 500]);
  assert.equal(judge(middle.changes, [1, 5], new Set([5]), middle.endMs).passages[0]?.wrongFrames, 1);
});

test('what a moving item leaves is measured from its last frame, not from its end', () => {
  const { changes, endMs } = shown([{ item: 5, frame: 8 }, 33], [{ item: 5, frame: 9 }, 80], [still(1), 500]);
  assert.equal(judge(changes, [5, 1], new Set([5]), endMs).passages[0]?.gapMs, 80);
});

test('passes of a clip count its frames, also beyond 256 and with some of them dropped', () => {
  const dropped = new Set([255, 300, 511]);
  const frames = Array.from({ length: 600 }, (_, at) => at).filter((at) => !dropped.has(at));
  const spells = [0, 1, 2].flatMap(() => frames.map((at) => [{ item: 5, frame: at % 256 }, 33] as const));
  assert.deepEqual(passesOf(shown(...spells).changes, 5, 600), [
    { shown: 597, loopMs: 33 },
    { shown: 597, loopMs: 33 },
  ]);
});

test('a schedule that is kept has no drift, one that loses a millisecond each time has', () => {
  const starts = (each: number) => Array.from({ length: 1000 }, (_, at) => at * each + (at % 3));
  assert.ok(driftOf(starts(300), 300).maxMs <= 2);
  assert.ok(Math.abs(driftOf(starts(300), 300).per1000Ms) < 0.1);
  assert.ok(driftOf(starts(301), 300).maxMs > 990);
  assert.ok(Math.abs(driftOf(starts(301), 300).per1000Ms - 1000) < 1);
});

test('a round holds every ordered pair of kinds once, and no item follows on itself', () => {
  const names = ['a', 'b', 'c', 'd'];
  const round = roundOf(names);
  const pairs = round.map((name, at) => `${name}${round[(at + 1) % round.length]}`);
  assert.equal(new Set(pairs).size, names.length ** 2);
  assert.equal(round.length, names.length ** 2);
  const items = itemsInRound(roundOf(kinds));
  for (const [at, item] of items.entries()) assert.notEqual(item, items[(at + 1) % items.length]);
});

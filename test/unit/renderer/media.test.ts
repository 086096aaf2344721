import assert from 'node:assert/strict';
import test from 'node:test';
import { leavesStrips } from '../../../renderer/media/backdrop.ts';
import type { Glance } from '../../../renderer/media/progress.ts';
import { progressJudge } from '../../../renderer/media/progress.ts';

/** Looks every 250 ms at a video whose readings are functions of the time in seconds. */
function firstStall(seconds: number, at: (seconds: number) => Omit<Glance, 'atMs'>): number | null {
  const judge = progressJudge({ atMs: 0, ...at(0) });
  for (let atMs = 250; atMs <= seconds * 1000; atMs += 250) {
    if (judge({ atMs, ...at(atMs / 1000) })) return atMs;
  }
  return null;
}

test('a video whose clock stands still has stalled after two seconds', () => {
  const stall = firstStall(20, (at) => ({
    mediaSeconds: Math.min(at, 5),
    presentedFrames: Math.floor(Math.min(at, 5) * 25),
    decodedFrames: Math.floor(Math.min(at, 5) * 25),
  }));
  assert.equal(stall, 7250);
});

test('a video that is decoded but not displayed has stalled', () => {
  const stall = firstStall(20, (at) => ({
    mediaSeconds: at,
    presentedFrames: Math.floor(Math.min(at, 5) * 25),
    decodedFrames: Math.floor(at * 25),
  }));
  assert.ok(stall !== null && stall > 7000 && stall < 8000, `${stall}`);
});

test('a video that never shows a frame has stalled', () => {
  assert.equal(
    firstStall(20, () => ({ mediaSeconds: 0, presentedFrames: 0, decodedFrames: 3 })),
    2250,
  );
});

test('a running video, one that goes round, and one of still pictures have not stalled', () => {
  const frames = (at: number) => ({ presentedFrames: Math.floor(at * 25), decodedFrames: Math.floor(at * 25) + 4 });
  assert.equal(
    firstStall(60, (at) => ({ mediaSeconds: at, ...frames(at) })),
    null,
  );
  assert.equal(
    firstStall(60, (at) => ({ mediaSeconds: at % 2.1, ...frames(at) })),
    null,
  );
  const slides = (at: number) => ({ presentedFrames: Math.floor(at / 7), decodedFrames: Math.floor(at / 7) + 4 });
  assert.equal(
    firstStall(60, (at) => ({ mediaSeconds: at, ...slides(at) })),
    null,
  );
});

test('only a contained picture of another shape leaves strips', () => {
  assert.equal(leavesStrips('contain', 1, 16 / 9), true);
  assert.equal(leavesStrips('contain', 9 / 16, 16 / 9), true);
  assert.equal(leavesStrips('contain', 1920 / 1088, 16 / 9), false);
  assert.equal(leavesStrips('cover', 1, 16 / 9), false);
});

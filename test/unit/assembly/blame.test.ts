import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBlame } from '../../../electron/assembly/blame.ts';
import type { MediaHash } from '../../../electron/playlist/playlist.ts';

const [one, two] = ['1'.repeat(64), '2'.repeat(64)] as [MediaHash, MediaHash];

function blame() {
  let nowMs = 1_000;
  const made = createBlame(() => nowMs);
  return { ...made, later: (ms: number) => (nowMs += ms) };
}

test('suspects a file that was being prepared at the last sign of life', () => {
  const { opened, beaten, died, later } = blame();
  opened(two);
  later(250);
  beaten(two, one);
  later(3_000);
  assert.equal(died(), two);
});

test('suspects a file that was asked for since the last sign of life', () => {
  const { opened, beaten, died, later } = blame();
  beaten(null, one);
  later(100);
  opened(two);
  assert.equal(died(), two);
});

test('suspects the first file of a page that never gave a sign of life', () => {
  const { opened, died } = blame();
  opened(one);
  assert.equal(died(), one);
  assert.equal(died(), null, 'once');
});

test('does not suspect a file that was only prepared, and waits for its turn', () => {
  const { opened, beaten, died, later } = blame();
  opened(two);
  later(250);
  beaten(two, one);
  later(250);
  beaten(null, one);
  later(100);
  assert.equal(died(), null);
});

test('does not suspect a file on the display for being read on', () => {
  const { opened, beaten, died, later } = blame();
  beaten(null, one);
  later(100);
  opened(one);
  assert.equal(died(), null);
});

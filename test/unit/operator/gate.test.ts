import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Gate, mayTry, openGate, refused } from '../../../electron/operator/gate.ts';

test('lets two refusals pass, then waits 5 s, doubling to 15 min and no longer', () => {
  let gate: Gate = openGate;
  const waits = Array.from({ length: 14 }, () => {
    gate = refused(gate, 1_000);
    return Math.max(0, gate.shutUntilMs - 1_000) / 1_000;
  });
  assert.deepEqual(waits, [0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
});

test('is shut until its time and open from then on', () => {
  const gate = { failures: 3, shutUntilMs: 5_000 };
  assert.equal(mayTry(gate, 4_999), false);
  assert.equal(mayTry(gate, 5_000), true);
});

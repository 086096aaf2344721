import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlaybackLog } from '../../../electron/assembly/playback-log.ts';
import { recordedLog } from '../../support/recorded-log.ts';

function world() {
  const { log, events, lines } = recordedLog();
  return { ...createPlaybackLog(log), events, lines };
}

test('the same fault of an item is written once, however often it comes round', () => {
  const { report, events } = world();
  for (let round = 0; round < 100; round++) report({ itemId: 'i1', outcome: 'failed', reason: 'decode' });
  report({ itemId: 'i2', outcome: 'failed', reason: 'decode' });
  assert.deepEqual(events(), ['item-failed', 'item-failed']);
});

test('another fault, and the same one after a success, are written again', () => {
  const { report, events } = world();
  report({ itemId: 'i1', outcome: 'failed', reason: 'decode' });
  report({ itemId: 'i1', outcome: 'failed', reason: 'deadline' });
  report({ itemId: 'i1', outcome: 'shown' });
  report({ itemId: 'i1', outcome: 'failed', reason: 'deadline' });
  assert.deepEqual(events(), ['item-failed', 'item-failed', 'item-shown', 'item-failed']);
});

test('an item of a kind that is not yet shown is said to be skipped, never passed over in silence', () => {
  const { report, lines } = world();
  report({ itemId: 'i1', outcome: 'skipped', reason: 'web' });
  assert.match(lines[0] ?? '', /"event":"item-skipped","itemId":"i1","reason":"web"/);
});

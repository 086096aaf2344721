import assert from 'node:assert/strict';
import type { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { nowAndNext, ownAddresses } from '../../../electron/assembly/overview.ts';
import { present } from '../../../electron/ipc/presenter.ts';
import { oneItem, playingFacts } from '../../support/screen-facts.ts';

const [item] = oneItem.items;
const program = {
  programId: 'p',
  items: ['a', 'b', 'c'].map((itemId) => ({ ...item, itemId, title: `title ${itemId}` })),
};
const snapshot = present({ ...playingFacts, program: program as typeof oneItem });

test('tells the item on the display and the one after it, around the end too', () => {
  assert.deepEqual(nowAndNext(snapshot, 'b'), { now: 'title b', next: 'title c', items: 3 });
  assert.deepEqual(nowAndNext(snapshot, 'c'), { now: 'title c', next: 'title a', items: 3 });
});

test('tells nothing of an item that the program does not hold, or while nothing plays', () => {
  assert.deepEqual(nowAndNext(snapshot, 'x'), { now: null, next: null, items: 3 });
  assert.deepEqual(nowAndNext(snapshot, null), { now: null, next: null, items: 3 });
  assert.deepEqual(nowAndNext(present({ ...playingFacts, program: null }), 'a'), { now: null, next: null, items: 0 });
});

test('shows three of the device’s own addresses at most, none of them loopback or link-local', () => {
  const address = (text: string, internal = false) => ({ address: text, internal });
  const interfaces = {
    lo: [address('127.0.0.1', true), address('::1', true)],
    eth0: [address('192.0.2.7'), address('fe80::1'), address('2001:db8::7')],
    wlan0: [address('169.254.3.4'), address('198.51.100.1'), address('198.51.100.2')],
  } as unknown as ReturnType<typeof networkInterfaces>;
  assert.deepEqual(ownAddresses(interfaces), ['192.0.2.7', '2001:db8::7', '198.51.100.1']);
});

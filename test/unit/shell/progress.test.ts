import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramItem, Snapshot } from '../../../electron/ipc/contract.ts';
import { beaten, type Display, reported, standstill, told, unseen } from '../../../electron/shell/progress.ts';

const words = { screenName: null, hostname: 'sign', playerVersion: '1', keyProtection: 'tpm', notice: null } as const;
const sound = { volume: 1, muted: true };
const look = { language: 'en', theme: 'dark', rotation: 0 } as const;
const base = { ...words, sound, look };

const item = (itemId: string, durationSeconds: number | null): ProgramItem => ({
  itemId,
  kind: 'image',
  source: 'player://media/x',
  title: '',
  durationSeconds,
  fit: 'contain',
  transition: 'cut',
});

const playing = (...items: ProgramItem[]): Snapshot => ({
  ...base,
  state: 'playing',
  program: { programId: 'p', items },
});

/** A display on which `itemId` was shown at 0 and whose page beats until `beatMs`. */
const showing = (itemId: string | null, beatMs: number): Display => {
  const before = told(unseen, playing(item('a', 10)), 0);
  return beaten(itemId === null ? before : reported(before, itemId, 'shown', 0), itemId, beatMs);
};

test('an item that stays as long as it should is progress, one that stays for ever is not', () => {
  const snapshot = playing(item('a', 10), item('b', 10));
  assert.equal(standstill(showing('a', 9_900), snapshot, 0, 10_000), null);
  assert.equal(standstill(showing('a', 39_900), snapshot, 0, 40_000), null);
  assert.equal(standstill(showing('a', 40_900), snapshot, 0, 41_000), 'item-overdue');
});

test('the same item shown anew is progress', () => {
  const again = beaten(reported(showing('a', 0), 'a', 'shown', 41_000), 'a', 41_000);
  assert.equal(standstill(again, playing(item('a', 10)), 0, 41_000), null);
});

test('items that fail one after the other are progress, for as long as they are reported', () => {
  const failing = reported(showing('a', 0), 'b', 'failed', 60_000);
  assert.equal(standstill(beaten(failing, 'a', 61_000), playing(item('a', 10), item('b', 10)), 0, 61_000), null);
  assert.equal(standstill(beaten(failing, 'a', 95_000), playing(item('a', 10)), 0, 95_000), 'item-overdue');
});

test('a video of unknown length may go on, a withdrawn item only for its minute', () => {
  assert.equal(standstill(showing('a', 3_600_000), playing(item('a', null)), 0, 3_600_000), null);
  assert.equal(standstill(showing('a', 89_000), playing(item('c', 10)), 0, 89_000), null);
  assert.equal(standstill(showing('a', 91_000), playing(item('c', 10)), 0, 91_000), 'item-overdue');
});

test('a program of which nothing shows has two minutes between one try and the next', () => {
  assert.equal(standstill(showing(null, 119_000), playing(item('a', 10)), 0, 119_000), null);
  assert.equal(standstill(showing(null, 121_000), playing(item('a', 10)), 0, 121_000), 'nothing-shown');
  const tried = beaten(reported(showing(null, 0), 'a', 'failed', 100_000), null, 121_000);
  assert.equal(standstill(tried, playing(item('a', 10)), 0, 121_000), null);
});

test('a new program has its time from when it came', () => {
  const next: Snapshot = { ...base, state: 'playing', program: { programId: 'q', items: [item('z', 10)] } };
  const display = beaten(told(showing(null, 0), next, 500_000), null, 501_000);
  assert.equal(standstill(display, next, 0, 501_000), null);
});

const others: readonly Snapshot[] = [
  { ...base, state: 'starting' },
  { ...base, state: 'registering', registration: null },
  { ...base, state: 'standby', reason: 'nothing-scheduled' },
  { ...base, state: 'trouble', trouble: { code: 'TPM_ABSENT', summary: '', remedy: '' } },
];

for (const snapshot of others)
  test(`a living page is as planned while ${snapshot.state}`, () => {
    assert.equal(standstill(beaten(unseen, null, 1e9), snapshot, 0, 1e9 + 100), null);
  });

test('a silent page, none at all, and a main process that is late are no progress in any state', () => {
  for (const snapshot of [playing(item('a', 10)), ...others]) {
    assert.equal(standstill(unseen, snapshot, 0, 100), 'no-page');
    assert.equal(standstill(showing('a', 1_000), snapshot, 0, 4_100), 'page-silent');
    assert.equal(standstill(showing('a', 1_000), snapshot, 1_000, 1_000), 'main-busy');
  }
});

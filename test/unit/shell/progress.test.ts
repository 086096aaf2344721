import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramItem, Snapshot } from '../../../electron/ipc/contract.ts';
import { beaten, type Display, reported, standstill, told, unseen } from '../../../electron/shell/progress.ts';
import { withdrawnGraceMs } from '../../../renderer/playback.ts';

const words = { screenName: null, hostname: 'sign', playerVersion: '1', keyProtection: 'tpm', notice: null } as const;
const sound = { volume: 1, muted: true };
const look = { language: 'en', theme: 'dark', rotation: 0 } as const;
const base = { ...words, sound, look };

const item = (itemId: string, durationSeconds: number | null, kind: ProgramItem['kind'] = 'image'): ProgramItem => ({
  itemId,
  kind,
  source: 'player://media/x',
  title: '',
  durationSeconds,
  fit: 'contain',
  transition: 'cut',
});

const playing = (...items: ProgramItem[]): Snapshot => ({
  ...base,
  state: 'playing',
  program: { programId: JSON.stringify(items), items },
});

/** A display on which `itemId` of a program was shown at 0 and whose page beats until `beatMs`. */
const showing = (itemId: string | null, beatMs: number, of: Snapshot = playing(item('a', 10))): Display => {
  const before = told(unseen, of, 0);
  return beaten(beaten(itemId === null ? before : reported(before, itemId, 'shown', 0), itemId, 0), itemId, beatMs);
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

/** As main does with systemd's WatchdogSec=30: it feeds every ten seconds. @returns when systemd ends the player, `null`: never */
function endedAt(from: Snapshot, to: Snapshot, changeMs: number, untilMs: number): number | null {
  let display = showing('a', 0, from);
  let fedMs = 0;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 500) {
    const now = nowMs < changeMs ? from : to;
    display = beaten(told(display, now, nowMs), 'a', nowMs);
    if (nowMs % 10_000 === 0 && standstill(display, now, 0, nowMs) === null) fedMs = nowMs;
    if (nowMs - fedMs >= 30_000) return nowMs;
  }
  return null;
}
const isBetween = (at: number | null, fromMs: number, toMs: number) =>
  assert.ok(at !== null && at > fromMs && at <= toMs, `ended at ${at}`);

test('a withdrawn item may stay for its minute from the change on, however long it was there, and no longer', () => {
  const from = playing(item('a', 3_600), item('b', 10));
  const others = [playing(item('b', 10)), playing({ ...item('a', 10), source: 'player://media/y' }, item('b', 10))];
  for (const to of others) {
    assert.equal(endedAt(from, to, 605_000, 605_000 + withdrawnGraceMs + 2_000), null);
    isBetween(
      endedAt(from, to, 605_000, 1e6),
      605_000 + withdrawnGraceMs + 30_000,
      605_000 + withdrawnGraceMs + 60_000,
    );
    isBetween(endedAt(from, to, 3_590_000, 4e6), 3_630_000, 3_660_000);
  }
});

test('an item keeps the time with which it came onto the display, whatever the next program gives it', () => {
  const [long, short] = [playing(item('a', 3_600), item('b', 10)), playing(item('a', 10), item('b', 10))];
  assert.equal(endedAt(long, short, 600_000, 3_602_000), null);
  isBetween(endedAt(long, short, 600_000, 4e6), 3_630_000, 3_660_000);
  isBetween(endedAt(short, long, 5_000, 4e6), 40_000, 70_000);
});

test('an item that came as the program changed has the longer of both times, its next turn the new one', () => {
  const [long, short] = [playing(item('a', 3_600)), playing(item('a', 10))];
  const changed = told(told(unseen, long, 0), short, 60_000);
  const stays = (atMs: number, nowMs: number) => {
    const came = beaten(reported(changed, 'a', 'shown', atMs), 'a', atMs);
    return standstill(beaten(came, 'a', nowMs), short, 0, nowMs);
  };
  assert.equal(stays(60_100, 3_600_000), null);
  assert.equal(stays(70_000, 109_000), null);
  assert.equal(stays(70_000, 111_000), 'item-overdue');
});

test('a stream may play to its end, however far that is; a video has a day, a withdrawn stream its minute', () => {
  const [stream, video] = [playing(item('a', null, 'stream')), playing(item('a', null, 'video'))];
  assert.equal(endedAt(stream, stream, 0, 3 * 86_400_000), null);
  isBetween(endedAt(video, video, 0, 90_000_000), 86_400_000, 86_460_000);
  isBetween(endedAt(stream, playing(item('b', 10)), 100_000_000, 200_000_000), 100_090_000, 100_120_000);
});

test('what a page shows that is dismissed takes no time from the item that stays on the display', () => {
  for (const [longMs, of] of [
    [3_600_000, playing(item('y', 3_600), item('x', 10))],
    [3 * 86_400_000, playing(item('y', null, 'stream'), item('x', 10))],
  ] as const) {
    const began = showing('y', 15_000, of);
    const unheard = reported(began, 'x', 'shown', 15_000);
    const heard = reported(beaten(began, 'x', 15_000), 'x', 'shown', 15_100);
    for (const dismissed of [unheard, heard])
      for (const nowMs of [16_000, 46_000, 100_000, longMs])
        assert.equal(standstill(beaten(beaten(dismissed, 'y', 15_250), 'y', nowMs), of, 0, nowMs), null, `${nowMs}`);
  }
});

test('it takes none either from an item that goes round and round', () => {
  const of = playing(item('y', 3_600), item('x', 10));
  const turns = [3_600_000, 7_200_000].reduce(
    (display, atMs) => reported(display, 'y', 'shown', atMs),
    showing('y', 0, of),
  );
  const dismissed = reported(turns, 'x', 'shown', 7_215_000);
  const at = (nowMs: number) => standstill(beaten(dismissed, 'y', nowMs), of, 0, nowMs);
  assert.equal(at(10_800_000), null);
  assert.equal(at(10_831_000), 'item-overdue');
});

test('an item that is on the display and never reported is found, also after a stream', () => {
  const of = playing(item('a', null, 'stream'), item('b', 10));
  const gone = beaten(showing('a', 1e9, of), 'b', 1e9 + 100);
  assert.equal(standstill(gone, of, 0, 1e9 + 100), null);
  assert.equal(standstill(beaten(gone, 'b', 1e9 + 40_000), of, 0, 1e9 + 40_000), null);
  assert.equal(standstill(beaten(gone, 'b', 1e9 + 41_000), of, 0, 1e9 + 41_000), 'item-overdue');
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

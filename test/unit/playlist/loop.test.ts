import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { type LoopPorts, runSyncLoop } from '../../../electron/playlist/loop.ts';
import type { SyncOutcome } from '../../../electron/playlist/sync.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const published = (deadlineMs: number): SyncOutcome => ({ type: 'published', version: 1, deadlineMs });
const unchanged: SyncOutcome = { type: 'unchanged' };
const away = () => new PlayerError('CONNECTION_FAILED', 'away');

/** Runs the loop through the outcomes; every wait passes at once. @returns the pauses and what else was done */
async function run(outcomes: readonly (SyncOutcome | Error)[], random = 0.5, overrides: Partial<LoopPorts> = {}) {
  const script = [...outcomes];
  const end = new AbortController();
  const pauses: number[] = [];
  const done: string[] = [];
  let nowMs = 0;
  const ports: LoopPorts = {
    sync: async () => {
      const outcome = script.shift();
      if (outcome === undefined || outcome instanceof Error) throw outcome;
      return outcome;
    },
    keptBytes: () => 0,
    wait: async (ms) => {
      pauses.push(ms);
      nowMs += ms;
      if (script.length === 0) end.abort();
    },
    backoff: (attempt) => 1_000 + attempt,
    random: () => random,
    now: () => nowMs,
    suspended: async (is) => void done.push(is ? 'suspended' : 'restored'),
    isBack: () => void done.push('is back'),
    report: (problem) => void done.push(problem === null ? 'well' : `report ${(problem as PlayerError).code}`),
    log: recordedLog().log,
    ...overrides,
  };
  const result = await runSyncLoop(ports, end.signal).catch((thrown: unknown) => thrown);
  return { pauses, done, result };
}

test('a failing server is asked with back-off, and the count starts anew after a success', async () => {
  const { pauses, done } = await run([away(), away(), unchanged, away()]);
  assert.deepEqual(pauses, [1_000, 1_001, 53_650, 1_000]);
  assert.deepEqual(
    done.filter((step) => step !== 'restored'),
    ['report CONNECTION_FAILED', 'report CONNECTION_FAILED', 'well', 'report CONNECTION_FAILED'],
  );
});

test('says that the server is back where it was away for long, once, and not after a restart', async () => {
  const backs = async (failures: number) => {
    const { done } = await run([...Array.from({ length: failures }, away), unchanged, unchanged]);
    return done.filter((step) => step === 'is back').length;
  };
  assert.deepEqual([await backs(5), await backs(6), await backs(20)], [0, 1, 1]);
});

test('a download that came forward before it broke off is gone on with soon, however often that happens', async () => {
  let kept = 0;
  const growing = { keptBytes: () => (kept += 300_000) };
  const { pauses } = await run([away(), away(), away(), away()], 0.5, growing);
  assert.deepEqual(pauses, [1_004, 1_004, 1_004, 1_004]);
  const crawling = { keptBytes: () => (kept += 1_000) };
  assert.deepEqual((await run([away(), away(), away()], 0.5, crawling)).pauses, [1_000, 1_001, 1_002]);
});

test('polls within every minute, and no two screens in step', async () => {
  for (const [random, pauseMs] of [
    [0, 58_000],
    [0.5, 53_650],
    [0.9, 50_170],
  ] as const)
    assert.deepEqual((await run([unchanged], random)).pauses, [pauseMs]);
});

test('fetches again no later than the playlist’s deadline', async () => {
  const { pauses } = await run([published(70_000), unchanged, unchanged]);
  assert.deepEqual(pauses, [53_650, 16_350, 53_650]);
});

test('a deadline that has passed, or is always a moment away, does not make the loop spin', async () => {
  assert.deepEqual((await run([published(-5)])).pauses, [53_650]);
  assert.deepEqual((await run([published(1), published(1_001)])).pauses, [1_000, 1_000]);
});

test('a revoked screen asks less often and is told so', async () => {
  const { pauses, done } = await run([{ type: 'suspended' }, unchanged]);
  assert.deepEqual(pauses, [300_000, 53_650]);
  assert.deepEqual(done, ['well', 'suspended', 'well', 'restored']);
});

test('a state that cannot be written is a failure like any other', async () => {
  const full = new PlayerError('STATE_UNWRITABLE', 'full');
  const suspended = () => Promise.reject(full);
  const { pauses, done } = await run([unchanged], 0.5, { suspended });
  assert.deepEqual([pauses, done], [[1_000], ['well', 'report STATE_UNWRITABLE']]);
});

test('a server that asks to be left alone is left alone, and its players do not come back together', async () => {
  const busy = new PlayerError('SERVER_ERROR', '503', undefined, 120_000);
  for (const [random, pauseMs] of [
    [0, 120_000],
    [0.5, 150_000],
  ] as const)
    assert.deepEqual((await run([busy], random)).pauses, [pauseMs]);
  const soon = new PlayerError('SERVER_ERROR', '503', undefined, 0);
  assert.deepEqual((await run([soon])).pauses, [1_000], 'its haste does not undo the back-off');
});

test('a thrown value of no known kind is reported and does not end the loop', async () => {
  const { done, pauses } = await run([new TypeError('bug'), unchanged]);
  assert.deepEqual([done[0], pauses], ['report INTERNAL', [1_000, 53_650]]);
});

test('ends when the screen was removed, without waiting', async () => {
  const { pauses, result } = await run([{ type: 'removed' }]);
  assert.deepEqual([pauses, result], [[], 'removed']);
});

test('ends when it is told to', async () => {
  const { result } = await run([unchanged]);
  assert.equal((result as Error).name, 'AbortError');
});

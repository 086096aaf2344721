import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScrubPorts, scrub } from '../../../electron/cache/scrub.ts';
import { PlayerError } from '../../../electron/errors.ts';
import type { MediaHash } from '../../../electron/playlist/playlist.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const [shown, other] = ['a', 'b'] as MediaHash[];
const mib = 2 ** 20;
const minuteMs = 60_000;
const nothing = { adopted: [], quarantined: [], lost: [], failure: null };

/** A store of two files of 4 MiB, of which one may be shown, looked after for so long by a clock that does not wait. */
async function run(forMs: number, store: Partial<ScrubPorts['store']> = {}) {
  const end = new AbortController();
  const done: string[] = [];
  const { log, events } = recordedLog();
  const sleepers: { readonly atMs: number; wake(): void }[] = [];
  let nowMs = 0;
  const note = (what: string) => void done.push(`${nowMs / 1_000} ${what}`);
  const ended = scrub(
    {
      store: {
        reconcile: async () => nothing,
        oldestVerified: () => [shown, other] as MediaHash[],
        verify: async (hash, pace = async () => {}) => {
          note(`verify ${hash}`);
          await pace(4 * mib);
          return true;
        },
        isLeased: (hash) => hash === shown,
        probe: async () => {},
        flush: async () => {},
        ...store,
      },
      wait: (ms, signal) => {
        signal.throwIfAborted();
        return new Promise((wake, reject) => {
          sleepers.push({ atMs: nowMs + ms, wake });
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
      report: (problem) => note(problem === null ? 'well' : (problem as PlayerError).code),
      recovered: () => note('recovered'),
      log,
    },
    end.signal,
  ).catch((thrown: Error) => thrown.message);
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    sleepers.sort((one, next) => one.atMs - next.atMs);
    const first = sleepers.shift();
    if (first === undefined || first.atMs > forMs) break;
    nowMs = first.atMs;
    first.wake();
  }
  end.abort(new Error('over'));
  return { done, ended: await ended, events };
}

const verified = (done: readonly string[]) => done.filter((step) => step.includes('verify'));

test('goes round for ever, quickly once for what may be shown, calmly for the rest', async () => {
  const { done, ended } = await run(62_200);
  assert.deepEqual(verified(done), ['0 verify a', '0.125 verify b', '61.125 verify a', '62.125 verify b']);
  assert.equal(ended, 'over');
});

test('a disk that cannot be written is reported, tried again, and told of once it is well', async () => {
  let tries = 0;
  const { done, events } = await run(100_000, {
    oldestVerified: () => [],
    probe: async () => {
      if (++tries <= 2) throw new PlayerError('STORE_READ_ONLY', 'EROFS');
    },
  });
  assert.deepEqual(done, ['0 STORE_READ_ONLY', '15 STORE_READ_ONLY', '30 recovered', '30 well', '90 well']);
  assert.deepEqual(events(), ['store-fault'], 'it is said once');
});

test('tries the disk every minute, and writes the index now and then, while it goes round a store of 20 GiB', async () => {
  const tries: number[] = [];
  let [written, minutes] = [0, 0];
  await run(70 * minuteMs, {
    oldestVerified: () => [other] as MediaHash[],
    verify: async (_, pace = async () => {}) => {
      for (let bytes = 0; bytes < 20 * 1_024 * mib; bytes += 240 * mib) await pace(240 * mib);
      return true;
    },
    probe: async () => void tries.push(minutes++),
    flush: async () => void written++,
  });
  assert.deepEqual([tries.length, written], [71, 2]);
});

test('an index that cannot be written is written as soon as it can', async () => {
  let [tries, fails] = [0, 0];
  const { done } = await run(31 * minuteMs, {
    oldestVerified: () => [],
    flush: async () => {
      tries++;
      if (++fails <= 2) throw new PlayerError('STORE_FULL', 'ENOSPC');
    },
  });
  assert.equal(tries, 3);
  assert.deepEqual(done.slice(-5), ['1740 STORE_FULL', '1755 STORE_FULL', '1770 recovered', '1770 well', '1830 well']);
});

test('what a crash left behind is put right once, and said', async () => {
  let times = 0;
  const { events } = await run(2 * minuteMs, {
    reconcile: async () => {
      times++;
      return { ...nothing, adopted: [shown as MediaHash], lost: [other as MediaHash] };
    },
  });
  assert.deepEqual([times, events()], [1, ['store-reconciled', 'store-reconciled']]);
});

const fault = () => new PlayerError('STORE_FAILED', 'EMFILE');

test('a store that cannot be looked through is looked through again soon, and reported all the while', async () => {
  let looks = 0;
  const { done, events } = await run(2 * minuteMs, {
    reconcile: async () => {
      looks++;
      if (looks === 1) throw fault();
      return { ...nothing, failure: looks <= 6 ? fault() : null };
    },
    verify: async (hash, pace = async () => {}) => {
      // A large file: the round is not over before the end.
      await pace(hash === other ? 1_024 * mib : 0);
      return true;
    },
  });
  assert.deepEqual(
    // The disk itself is tried beside the first look.
    done.filter((step) => step !== '0 well'),
    [0, 15, 30, 45, 60, 75].map((second) => `${second} STORE_FAILED`).concat('90 recovered', '120 well'),
  );
  assert.deepEqual(events(), ['store-fault'], 'it is said once');
});

test('a file that cannot be read for a moment is read in the next round, and the others meanwhile', async () => {
  let failing = false;
  const { done, events } = await run(2 * minuteMs, {
    verify: async (hash) => {
      if (hash === other) return true;
      failing = !failing;
      if (failing) throw fault();
      return true;
    },
  });
  assert.deepEqual(
    done.filter((step) => !step.includes('well')),
    ['0 STORE_FAILED', '120 STORE_FAILED'],
  );
  assert.deepEqual(events(), ['store-fault', 'store-fault']);
});

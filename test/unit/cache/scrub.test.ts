import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScrubPorts, scrub } from '../../../electron/cache/scrub.ts';
import { PlayerError } from '../../../electron/errors.ts';
import type { MediaHash } from '../../../electron/playlist/playlist.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const [shown, other] = ['a', 'b'] as MediaHash[];
const mib = 2 ** 20;

/** A store of two files of 4 MiB, of which one may be shown; ends after some rounds. */
async function run(rounds: number, store: Partial<ScrubPorts['store']> = {}) {
  const end = new AbortController();
  const done: string[] = [];
  const { log, events } = recordedLog();
  let pauses = 0;
  const ended = await scrub(
    {
      store: {
        reconcile: async () => ({ adopted: [], quarantined: [], lost: [] }),
        oldestVerified: () => [shown, other] as MediaHash[],
        verify: async (hash, pace = async () => {}) => {
          done.push(`verify ${hash}`);
          await pace(4 * mib);
          return true;
        },
        isLeased: (hash) => hash === shown,
        probe: async () => {},
        flush: async () => {},
        ...store,
      },
      wait: async (ms, signal) => {
        signal.throwIfAborted();
        done.push(`wait ${ms}`);
        if (ms >= 15_000 && ++pauses === rounds) end.abort(new Error('over'));
        signal.throwIfAborted();
      },
      report: (problem) => void done.push(problem === null ? 'well' : (problem as PlayerError).code),
      recovered: () => void done.push('recovered'),
      log,
    },
    end.signal,
  ).catch((thrown: Error) => thrown.message);
  return { done, ended, events };
}

test('goes round for ever, quickly once for what may be shown, calmly for the rest', async () => {
  const { done, ended } = await run(2);
  const round = (quick: number) => ['well', ...['verify a', `wait ${quick}`, 'verify b', 'wait 1000', 'wait 60000']];
  assert.deepEqual(done, [...round(125), ...round(1_000)]);
  assert.equal(ended, 'over');
});

test('a disk that cannot be written is reported, tried again, and told of once it is well', async () => {
  let tries = 0;
  const { done, events } = await run(3, {
    oldestVerified: () => [],
    probe: async () => {
      if (++tries <= 2) throw new PlayerError('STORE_READ_ONLY', 'EROFS');
    },
  });
  assert.deepEqual(done, [
    ...['STORE_READ_ONLY', 'wait 15000'],
    ...['STORE_READ_ONLY', 'wait 15000'],
    ...['recovered', 'well', 'wait 60000'],
  ]);
  assert.deepEqual(events(), ['store-fault'], 'it is said once');
});

test('what a crash left behind is put right once, and said', async () => {
  let times = 0;
  const { events } = await run(2, {
    reconcile: async () => {
      times++;
      return { adopted: [shown as MediaHash], quarantined: [], lost: [other as MediaHash] };
    },
  });
  assert.deepEqual([times, events()], [1, ['store-reconciled', 'store-reconciled']]);
});

test('writes the index now and then, not every minute', async () => {
  let written = 0;
  await run(60, { oldestVerified: () => [], flush: async () => void written++ });
  assert.equal(written, 2);
});

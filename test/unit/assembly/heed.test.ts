import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heed } from '../../../electron/assembly/heed.ts';
import { createPoke } from '../../../electron/assembly/waiting.ts';
import { PlayerError } from '../../../electron/errors.ts';
import { runSyncLoop } from '../../../electron/playlist/loop.ts';
import type { Playlist } from '../../../electron/playlist/playlist.ts';
import { type Download, sync } from '../../../electron/playlist/sync.ts';
import { emptyPlaylist } from '../../support/playlist-document.ts';
import { silentLog } from '../../support/silent-log.ts';

const second = 1_000;
const document: Download = { type: 'document', text: '7', etag: '"7"' };
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const nothing = { etag: undefined, version: undefined, screenId: undefined, nowMs: undefined };

/** A server that gives its playlist once and is overloaded from then on, and a loop that syncs with it as a session does. */
function overloaded(retryAfterMs: number) {
  let nowMs = 0;
  const asked: number[] = [];
  const syncNow = createPoke(() => nowMs);
  const over = new AbortController();
  let mediaCame = () => {};
  const download = async () => {
    asked.push(nowMs / second);
    if (asked.length === 1) return document;
    throw new PlayerError('SERVER_ERROR', '503', undefined, retryAfterMs);
  };
  const ports = {
    download: () => heed(syncNow, () => 0, download),
    parse: (text: string) => emptyPlaylist(Number(text)),
    ensureCached: (_playlist: Playlist, abort: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        mediaCame = resolve;
        abort.addEventListener('abort', () => reject(abort.reason), { once: true });
      }),
    askAgain: async (abort: AbortSignal) => void (await syncNow.wait(54 * second, abort)),
    unanswered: syncNow.poke,
    mayPlayInPart: () => false,
    keep: async () => {},
    publish: () => {},
  };
  const looping = runSyncLoop(
    {
      sync: () => sync(ports, nothing, over.signal),
      keptBytes: () => 0,
      wait: async (ms, abort) => void (await syncNow.wait(ms, abort)),
      backoff: () => second,
      random: () => 0,
      now: () => nowMs,
      suspended: async () => {},
      isBack: () => {},
      report: () => {},
      log: silentLog,
    },
    over.signal,
  );
  return {
    asked,
    syncNow,
    mediaCame: () => mediaCame(),
    at: (ms: number) => (nowMs = ms),
    end: async () => {
      over.abort();
      await assert.rejects(looping);
    },
  };
}

for (const [what, mediaComeAt, pokedAt] of [
  ['while media are fetched', Number.NaN, []],
  ['once the playlist is published', 200, []],
  ['when something went missing, or the stream of events is back', 100, [120, 300]],
] as const)
  test(`a server that asked to be left alone is not asked again before: ${what}`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { asked, syncNow, mediaCame, at, end } = overloaded(600 * second);
    for (let passed = 0; passed <= 700; passed++) {
      at(passed * second);
      t.mock.timers.tick(second);
      await settled();
      if (passed === mediaComeAt) mediaCame();
      if ((pokedAt as readonly number[]).includes(passed)) syncNow.poke();
      await settled();
    }
    await end();
    assert.deepEqual(asked, [0, 54, 654]);
  });

test('a push is the latest word of the server that asked to be left alone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { asked, syncNow, at, end } = overloaded(600 * second);
  for (let passed = 0; passed <= 100; passed++) {
    at(passed * second);
    t.mock.timers.tick(second);
    await settled();
    if (passed === 80) {
      syncNow.hold(0);
      syncNow.poke();
    }
    await settled();
  }
  await end();
  assert.deepEqual(asked, [0, 54, 80]);
});

test('what fails without such a wish holds nothing', async () => {
  const held: number[] = [];
  const waits = { hold: (ms: number) => void held.push(ms) };
  const away = new PlayerError('CONNECTION_FAILED', 'away');
  await assert.rejects(
    heed(
      waits,
      () => 0.5,
      () => Promise.reject(away),
    ),
    away,
  );
  const bug = new TypeError('bug');
  await assert.rejects(
    heed(
      waits,
      () => 0.5,
      () => Promise.reject(bug),
    ),
    bug,
  );
  assert.equal(
    await heed(
      waits,
      () => 0.5,
      async () => 7,
    ),
    7,
  );
  assert.deepEqual(held, []);
  const busy = new PlayerError('SERVER_ERROR', '503', undefined, 8_000);
  await assert.rejects(
    heed(
      waits,
      () => 0.5,
      () => Promise.reject(busy),
    ),
    busy,
  );
  assert.deepEqual(held, [10_000], 'those that were sent away together do not come back together');
});

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { ensureAll, mediaOf } from '../../../electron/assembly/media-files.ts';
import { createTurns, turnLimits } from '../../../electron/cache/turns.ts';
import { asPlayerError } from '../../../electron/errors.ts';
import type { OpenReply, OriginClient } from '../../../electron/mtls/client.ts';
import { createRests } from '../../../electron/mtls/rests.ts';
import type { MediaAsset, Playlist } from '../../../electron/playlist/playlist.ts';
import { OriginOf, picture, StoreBench, wanting } from '../../support/cache-store.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const apiOrigin = 'https://signage.example';
const budgetBytes = 1_000;
const { signal: never } = new AbortController();
const files = new Map(['aaaa', 'bbbb', 'cccc'].map((name) => [`/${name}`, picture(name)]));

function assetAt(path: string, more: Partial<MediaAsset> = {}): MediaAsset {
  const { assetId, ...rest } = wanting(files.get(path) ?? picture(path), {
    assetId: path.slice(1),
    url: `${apiOrigin}${path}`,
  });
  return { kind: 'image', id: assetId, title: '', headers: {}, durationSeconds: null, ...rest, ...more };
}

/** A store, and an API origin that serves `files`. @param hold awaited after the first five bytes of each; elsewhere answers for other origins */
async function world(
  test: TestContext,
  hold?: (signal: AbortSignal, path: string) => Promise<void>,
  elsewhere?: (signal: AbortSignal, path: string) => Promise<OpenReply>,
) {
  const bench = await StoreBench.create(test);
  const store = await bench.open();
  const asked: string[] = [];
  const api: OriginClient = {
    origin: apiOrigin,
    call: () => Promise.reject(new Error('media are streamed')),
    open: async (path, _headers, signal) => {
      asked.push(path);
      const bytes = files.get(path) ?? picture(path);
      let parts = 0;
      const body = new Readable({
        highWaterMark: 1,
        read() {
          parts++;
          if (parts === 1) this.push(bytes.subarray(0, 5));
          if (parts !== 2) return;
          (hold?.(signal, path) ?? Promise.resolve()).then(
            () => [bytes.subarray(5), null].map((part) => this.push(part)),
            (thrown: Error) => this.destroy(thrown),
          );
        },
      });
      return { status: 200, header: () => undefined, body };
    },
    close: async () => {},
    retire: async () => {},
  };
  const foreign = (origin: string): OriginClient => ({
    ...api,
    origin,
    open: (path, _headers, signal) => {
      asked.push(origin + path);
      return elsewhere?.(signal, path) ?? assert.fail('no other origin is asked');
    },
  });
  const ports = { api, foreign, allowHttpFor: [], rests: createRests(() => performance.now()) };
  const { log, events } = recordedLog();
  const turns = createTurns();
  const ensure = (assets: readonly MediaAsset[], signal: AbortSignal) =>
    ensureAll(assets, { store, budgetBytes, ports, turns, log, stored: () => {} }, signal);
  return { bench, store, asked, turns, ensure, events };
}

/** A connection that stands still until the signal ends it. */
const standsStill = (begun: () => void) => (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    begun();
  });

test('refuses a playlist that cannot fit the store, before anything is downloaded', async (t) => {
  const { ensure, asked } = await world(t);
  const assets = [assetAt('/aaaa', { sizeBytes: 600 }), assetAt('/bbbb', { sizeBytes: 401 })];
  await assert.rejects(ensure(assets, never), { code: 'STORE_FULL' });
  assert.deepEqual(asked, []);
});

test('a time-out is a fault, and what has come is kept for the next try', async (t) => {
  const timeout = new AbortController();
  const due = () => timeout.abort(new DOMException('the time is up', 'TimeoutError'));
  const { ensure, bench } = await world(t, standsStill(due));
  await assert.rejects(ensure([assetAt('/aaaa')], timeout.signal), { code: 'CONNECTION_TIMEOUT' });
  assert.deepEqual(await readdir(bench.path('part')), [assetAt('/aaaa').sha256]);
});

test('the end of the session is no fault: its own reason comes out and nothing is logged', async (t) => {
  const session = new AbortController();
  const over = new Error('over');
  const { ensure, events } = await world(
    t,
    standsStill(() => session.abort(over)),
  );
  await assert.rejects(ensure([assetAt('/aaaa')], session.signal), over);
  assert.deepEqual(events(), []);
});

test('one file that fails does not keep the others away', async (t) => {
  const { ensure, store, events } = await world(t);
  const wrong = assetAt('/bbbb', { sha256: assetAt('/elsewhere').sha256, md5: null });
  await assert.rejects(ensure([wrong, assetAt('/aaaa'), assetAt('/cccc')], never), { code: 'MEDIA_DIGEST' });
  assert.equal(store.sizeBytes, 2 * picture('aaaa').length);
  assert.deepEqual(events(), ['media-failed']);
});

/** A server that gives `/404` never, and what `isBusy` says not now. */
const busyServer =
  (isBusy: (path: string) => boolean, retryAfter = '120') =>
  async (_signal: AbortSignal, path: string): Promise<OpenReply> => {
    const status = path === '/404' ? 404 : isBusy(path) ? 503 : 200;
    const header = (name: string) => (name === 'retry-after' && status === 503 ? retryAfter : undefined);
    return { status, header, body: Readable.from(status === 200 ? [picture(path)] : []) };
  };
const foreignAsset = (path: string) => assetAt(path, { url: `https://media.example${path}` });

test('a server that asks to be left alone is asked for no more of its files, and for none at the next sync', async (t) => {
  const { ensure, asked } = await world(
    t,
    undefined,
    busyServer(() => true),
  );
  const wanted = Array.from({ length: 20 }, (_, file) => foreignAsset(`/${file}`));
  await assert.rejects(ensure(wanted, never), { code: 'SERVER_ERROR' });
  const often = asked.length;
  assert.ok(often >= 4 && often < 10, `asked ${often} times`);
  const error = await ensure(wanted, never).then(() => assert.fail(), asPlayerError);
  assert.ok(error.retryAfterMs !== undefined && error.retryAfterMs > 100_000, 'the pause goes on');
  assert.equal(asked.length, often);
});

test('what can be tried again at once does not wait for a server that asks for a pause', async (t) => {
  const { ensure } = await world(
    t,
    undefined,
    busyServer(() => true),
  );
  const error = await ensure([foreignAsset('/0'), foreignAsset('/404')], never).then(
    () => assert.fail(),
    asPlayerError,
  );
  assert.deepEqual([error.code, error.retryAfterMs], ['MEDIA_MISSING', undefined]);
});

test('files whose server always asks for a pause do not keep the others away', async (t) => {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const { ensure, store } = await world(
    t,
    undefined,
    busyServer((path) => path.startsWith('/busy')),
  );
  const [busy, fine] = ['busy', 'fine'].map((name) =>
    Array.from({ length: 8 }, (_, file) => foreignAsset(`/${name}${file}`)),
  ) as [MediaAsset[], MediaAsset[]];
  // Which of them are asked for first is left to the file system.
  for (let syncs = 0; syncs < 20 && store.oldestVerified().length < fine.length; syncs++) {
    await assert.rejects(ensure([...busy, ...fine], never), { code: 'SERVER_ERROR' });
    nowMs += 130_000;
  }
  assert.equal(store.oldestVerified().length, fine.length);
});

test('two other servers that stand still do not keep the files of this one away, however many are before them', async (t) => {
  const gone = new AbortController();
  const still = standsStill(() => undefined);
  const { ensure, store, asked } = await world(t, undefined, still);
  const slow = ['one', 'two'].flatMap((host) =>
    Array.from({ length: 200 }, (_, file) =>
      assetAt(`/${file}`, {
        id: `${host} ${file}`,
        url: `https://${host}/${file}`,
        sha256: null,
        md5: null,
        sizeBytes: 1,
      }),
    ),
  );
  const ensuring = ensure([...slow, assetAt('/aaaa'), assetAt('/bbbb'), assetAt('/cccc')], gone.signal);
  const held = () => asked.filter((path) => path.startsWith('https:')).length;
  const isDone = () => store.sizeBytes === 3 * picture('aaaa').length && held() >= turnLimits.total;
  for (let look = 0; look < 2_000 && !isDone(); look++) await new Promise((done) => setTimeout(done, 5));
  assert.deepEqual([store.sizeBytes, held()], [3 * picture('aaaa').length, turnLimits.total]);
  gone.abort(new Error('over'));
  await assert.rejects(ensuring, { message: 'over' });
});

test('files that stand still give way to those that wait, and are gone on with after them', async (t) => {
  let [nowMs, held, isOver] = [0, 0, false];
  t.mock.method(performance, 'now', () => nowMs);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const still = ['/s1', '/s2', '/s3', '/s4'];
  const others = ['/aaaa', '/bbbb', '/cccc'];
  const { ensure, store, asked, turns, events } = await world(t, async (_signal, path) => {
    const isFirst = asked.indexOf(path) === asked.lastIndexOf(path);
    if (!isFirst || !still.includes(path)) return;
    held++;
    await new Promise(() => {});
  });
  const take = t.mock.method(turns, 'take').mock;
  const ensureOf = (paths: readonly string[]) =>
    ensure(
      paths.map((path) => assetAt(path)),
      never,
    );
  const late = ensureOf(still);
  while (held < still.length) await new Promise((resolve) => setTimeout(resolve, 1));
  const waiting = ensureOf(others);
  while (take.callCount() < still.length + others.length) await new Promise((resolve) => setTimeout(resolve, 1));
  const ensuring = Promise.all([late, waiting]).finally(() => {
    isOver = true;
  });
  for (let second = 0; second < 2_000 && !isOver; second++) {
    nowMs += 1_000;
    t.mock.timers.tick(1_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await ensuring;
  assert.deepEqual(new Set(asked.slice(still.length)), new Set([...others, ...still]));
  assert.deepEqual(asked.slice(-4).sort(), still);
  assert.equal(store.oldestVerified().length, still.length + others.length);
  assert.deepEqual(new Set(events()), new Set(['media-gave-way']));
});

test('two files behind one id and address are two files of a playlist', () => {
  const [one, other] = ['0', '1'].map((digit) => assetAt('/aaaa', { sha256: null, md5: digit.repeat(32) }));
  const items = [one, other, one].map((asset) => ({ asset }));
  const playlist = { playlists: [{ items }] } as unknown as Playlist;
  assert.deepEqual(mediaOf(playlist), [one, other]);
});

test('a playlist that just fits is stored, and beginnings that it does not want are discarded', async (t) => {
  const { ensure, bench, store } = await world(t);
  const abandoned = picture('dddd');
  await assert.rejects(store.ensure(wanting(abandoned), new OriginOf(abandoned, { breakAt: 5 })));
  assert.equal((await readdir(bench.path('part'))).length, 1);
  await ensure([assetAt('/aaaa'), assetAt('/bbbb', { sizeBytes: null })], never);
  assert.equal(store.sizeBytes, 2 * picture('aaaa').length);
  assert.deepEqual(await readdir(bench.path('part')), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { type Download, type Known, type SyncPorts, sync } from '../../../electron/playlist/sync.ts';
import { emptyPlaylist } from '../../support/playlist-document.ts';

const document: Download = { type: 'document', text: '7', etag: '"7"' };

/** Ports that write down what was done; the document's text is its version. */
function world(download: Download, overrides: Partial<SyncPorts> = {}) {
  const done: string[] = [];
  const ports: SyncPorts = {
    download: async (tag) => {
      done.push(`download ${tag}`);
      return download;
    },
    parse: (text) => emptyPlaylist(Number(text)),
    ensureCached: async () => void done.push('cache'),
    askAgain: (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    mayPlayInPart: () => false,
    keep: async (text, etag) => void done.push(`keep ${text} ${etag}`),
    publish: ({ version }) => void done.push(`publish ${version}`),
    ...overrides,
  };
  return { ports, done };
}

const nothing: Known = { etag: undefined, version: undefined, screenId: undefined, nowMs: undefined };
/** What plays: a document of screen `s1`, as `emptyPlaylist` is one, of the server's time 1000. */
const playing: Known = { etag: '"8"', version: 8, screenId: 's1', nowMs: 1_000 };
const documentOf = (nowMs: number) => ({ parse: (text: string) => ({ ...emptyPlaylist(Number(text)), nowMs }) });
const fails = (error: PlayerError) => async () => {
  throw error;
};

test('publishes nothing when a media file is missing', async () => {
  const missing = new PlayerError('MEDIA_MISSING', 'gone');
  const { ports, done } = world(document, { ensureCached: fails(missing) });
  await assert.rejects(sync(ports, nothing), missing);
  assert.deepEqual(done, ['download undefined']);
});

test('publishes nothing that could not be written to the disk', async () => {
  const full = new PlayerError('STORE_FULL', 'full');
  const { ports, done } = world(document, { keep: fails(full) });
  await assert.rejects(sync(ports, nothing), full);
  assert.deepEqual(done, ['download undefined', 'cache']);
});

test('downloads no media for a document that is not valid', async () => {
  const invalid = new PlayerError('PLAYLIST_INVALID', 'nonsense');
  const { ports, done } = world(document, {
    parse: () => {
      throw invalid;
    },
  });
  await assert.rejects(sync(ports, nothing), invalid);
  assert.deepEqual(done, ['download undefined']);
});

test('refuses a stale copy: a version that goes back, of the same screen and no later than what plays', async () => {
  for (const nowMs of [0, 999, 1_000]) {
    const { ports, done } = world(document, documentOf(nowMs));
    await assert.rejects(sync(ports, playing), { code: 'PLAYLIST_STALE' }, `${nowMs}`);
    assert.deepEqual(done, ['download "8"']);
  }
});

test('takes a lower version that the server made later: it was restored from a backup', async () => {
  const { ports, done } = world(document, documentOf(1_001));
  await sync(ports, playing);
  assert.equal(done.at(-1), 'publish 7');
});

test('takes a lower version of another screen: the key was registered anew', async () => {
  const { ports, done } = world(document, documentOf(0));
  await sync(ports, { ...playing, screenId: 's2' });
  assert.equal(done.at(-1), 'publish 7');
});

test('takes the same version again, with other content', async () => {
  const { ports, done } = world(document);
  await sync(ports, { ...playing, etag: '"6"', version: 7 });
  assert.equal(done.at(-1), 'publish 7');
});

test('leaves everything as it is when the server says unchanged, suspended or removed', async () => {
  for (const type of ['unchanged', 'suspended', 'removed'] as const) {
    const { ports, done } = world({ type });
    assert.deepEqual(await sync(ports, { ...playing, etag: '"7"', version: 7 }), { type });
    assert.deepEqual(done, ['download "7"']);
  }
});

test('caches, then keeps, then publishes', async () => {
  const { ports, done } = world(document);
  assert.deepEqual(await sync(ports, nothing), { type: 'published', version: 7, deadlineMs: 300_000 });
  assert.deepEqual(done, ['download undefined', 'cache', 'keep 7 "7"', 'publish 7']);
});

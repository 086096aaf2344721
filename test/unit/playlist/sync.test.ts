import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { type Download, type SyncPorts, sync } from '../../../electron/playlist/sync.ts';
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
    keep: async (text, etag) => void done.push(`keep ${text} ${etag}`),
    publish: ({ version }) => void done.push(`publish ${version}`),
    ...overrides,
  };
  return { ports, done };
}

const nothing = { etag: undefined, version: undefined };
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

test('refuses a version that goes back', async () => {
  const { ports, done } = world(document);
  await assert.rejects(sync(ports, { etag: '"8"', version: 8 }), { code: 'PLAYLIST_INVALID' });
  assert.deepEqual(done, ['download "8"']);
});

test('takes the same version again, with other content', async () => {
  const { ports, done } = world(document);
  await sync(ports, { etag: '"6"', version: 7 });
  assert.equal(done.at(-1), 'publish 7');
});

test('leaves everything as it is when the server says unchanged, suspended or removed', async () => {
  for (const type of ['unchanged', 'suspended', 'removed'] as const) {
    const { ports, done } = world({ type });
    assert.deepEqual(await sync(ports, { etag: '"7"', version: 7 }), { type });
    assert.deepEqual(done, ['download "7"']);
  }
});

test('caches, then keeps, then publishes', async () => {
  const { ports, done } = world(document);
  assert.deepEqual(await sync(ports, nothing), { type: 'published', version: 7, deadlineMs: 300_000 });
  assert.deepEqual(done, ['download undefined', 'cache', 'keep 7 "7"', 'publish 7']);
});

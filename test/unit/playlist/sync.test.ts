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
    unanswered: () => void done.push('unanswered'),
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

/** Files that come when they are told to, and a server that is asked again when it is told to. */
function preparing(answers: Download[], overrides: Partial<SyncPorts> = {}) {
  const steps: { askAgain?: () => void; stored?: () => void; cached?: () => void; fail?: (why: Error) => void } = {};
  const { ports, done } = world(document, {
    ensureCached: (_playlist, signal, stored) =>
      new Promise((resolve, reject) => {
        Object.assign(steps, { stored, cached: resolve, fail: reject });
        signal.addEventListener('abort', () => {
          done.push('given up');
          reject(signal.reason);
        });
      }),
    askAgain: (signal) =>
      new Promise((resolve, reject) => {
        steps.askAgain = resolve;
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    ...overrides,
  });
  ports.download = async (tag) => {
    done.push(`download ${tag}`);
    return answers.shift() ?? { type: 'unchanged' };
  };
  const step = async (name: keyof typeof steps) => {
    await settled();
    steps[name]?.(new PlayerError('MEDIA_MISSING', 'gone'));
    await settled();
  };
  return { ports, done, step };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a newer playlist takes the place of one whose files are still being fetched', async () => {
  const { ports, done, step } = preparing([document, { type: 'document', text: '8', etag: '"8"' }]);
  const syncing = sync(ports, nothing);
  await step('askAgain');
  await step('cached');
  assert.equal((await syncing).type, 'published');
  assert.deepEqual(done.slice(0, 5), ['download undefined', 'download "7"', 'given up', 'keep 8 "8"', 'publish 8']);
});

test('an older copy does not take the place of the one whose files are still being fetched, and is asked about later', async () => {
  const { ports, done, step } = preparing([{ type: 'document', text: '8', etag: '"8"' }, document]);
  const syncing = sync(ports, nothing);
  await step('askAgain');
  await step('cached');
  await syncing;
  assert.deepEqual(done, ['download undefined', 'download "8"', 'keep 8 "8"', 'publish 8', 'given up', 'unanswered']);
});

test('what cannot be read does not take the place of the one whose files are being fetched, and is asked about later', async () => {
  const broken: Download = { type: 'document', text: 'broken', etag: undefined };
  const { ports, done, step } = preparing([document, broken], {
    parse: (text) => {
      if (text === broken.text) throw new PlayerError('PLAYLIST_INVALID', 'broken');
      return emptyPlaylist(Number(text));
    },
  });
  const syncing = sync(ports, nothing);
  await step('askAgain');
  await step('cached');
  await syncing;
  assert.deepEqual(done, ['download undefined', 'download "7"', 'keep 7 "7"', 'publish 7', 'given up', 'unanswered']);
});

test('the same playlist, or a server that fails meanwhile, does not disturb what is being fetched', async () => {
  const { ports, done, step } = preparing([document, { type: 'unchanged' }, { ...document, etag: undefined }]);
  const syncing = sync(ports, nothing);
  await step('askAgain');
  await step('askAgain');
  ports.download = fails(new PlayerError('SERVER_ERROR', '500'));
  await step('askAgain');
  await step('cached');
  await syncing;
  assert.ok(done.includes('publish 7'));
});

for (const [how, later] of [
  ['after the last file', { type: 'document', text: '8', etag: '"8"' }],
  ['never', new PlayerError('CONNECTION_FAILED', 'gone')],
] as const)
  test(`a change is not forgotten when the answer to the question about it comes ${how}`, async () => {
    const { ports, done, step } = preparing([document]);
    const syncing = sync(ports, nothing);
    await settled();
    let answer = () => {};
    ports.download = () =>
      new Promise((resolve, reject) => {
        answer = () => (later instanceof PlayerError ? reject(later) : resolve(later));
      });
    await step('askAgain');
    await step('cached');
    answer();
    await syncing;
    assert.deepEqual(done, ['download undefined', 'keep 7 "7"', 'publish 7', 'given up', 'unanswered']);
  });

test('a change is not forgotten that the server tells of while the playlist before it is being kept', async () => {
  let kept = () => {};
  const { ports, done, step } = preparing([document, { type: 'document', text: '8', etag: '"8"' }], {
    keep: () =>
      new Promise((resolve) => {
        kept = resolve;
      }),
  });
  const syncing = sync(ports, nothing);
  await step('cached');
  await step('askAgain');
  kept();
  await syncing;
  assert.deepEqual(done, ['download undefined', 'download "7"', 'publish 7', 'given up', 'unanswered']);
});

test('a question that was answered asks for no other sync', async () => {
  const { ports, done, step } = preparing([document, { type: 'unchanged' }]);
  const syncing = sync(ports, nothing);
  await step('askAgain');
  await step('cached');
  await syncing;
  assert.ok(done.includes('publish 7'));
  assert.ok(!done.includes('unanswered'));
});

test('a screen that is revoked while its files come hears of it, and publishes nothing', async () => {
  const { ports, done, step } = preparing([document, { type: 'suspended' }]);
  const syncing = sync(ports, nothing);
  await step('askAgain');
  assert.deepEqual(await syncing, { type: 'suspended' });
  assert.ok(!done.some((one) => one.startsWith('publish')));
});

test('plays what is there where the policy says so, and reports what is not', async () => {
  let enough = false;
  const { ports, done, step } = preparing([document], { mayPlayInPart: () => enough });
  const syncing = sync(ports, nothing);
  await step('stored');
  assert.ok(!done.includes('publish 7'), 'nothing of it can be shown yet');
  enough = true;
  await step('stored');
  await step('stored');
  assert.deepEqual(done, ['download undefined', 'keep 7 "7"', 'publish 7']);
  const missing = assert.rejects(syncing, { code: 'MEDIA_MISSING' });
  await step('fail');
  await missing;
});

test('ends with its session, whatever is being fetched', async () => {
  const session = new AbortController();
  const { ports } = preparing([document]);
  const syncing = sync(ports, nothing, session.signal);
  await settled();
  session.abort(new Error('over'));
  await assert.rejects(syncing, { message: 'over' });
});

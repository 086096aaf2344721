import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { openContent } from '../../../electron/assembly/content.ts';
import { createFactBook } from '../../../electron/assembly/facts.ts';
import type { Snapshot } from '../../../electron/ipc/contract.ts';
import type { OriginClient } from '../../../electron/mtls/client.ts';
import { sync } from '../../../electron/playlist/sync.ts';
import { parseSettings } from '../../../electron/settings.ts';
import { sha256 } from '../../support/cache-store.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { playingFacts } from '../../support/screen-facts.ts';

const apiOrigin = 'https://signage.example';
const { signal } = new AbortController();
const pictures = await Promise.all(
  ['red', 'green'].map(async (name) => {
    const bytes = await readFile(join(process.cwd(), `test/fixtures/clips/${name}.png`));
    return { name, bytes, hash: sha256(bytes) };
  }),
);
const [red, green] = pictures as [(typeof pictures)[0], (typeof pictures)[0]];

const config = { display_rotate: 0, shuffle_playlist: false, audio_output: 'hdmi', play_history_enabled: false };
const document = JSON.stringify({
  now: '2027-01-01T00:00:00Z',
  deadline: '2027-01-01T00:05:00Z',
  version: 7,
  screen: { id: 's1', name: 'Lobby', hostname: 'screen', timezone: 'Europe/London', config },
  playlists: [
    {
      id: 'p',
      title: 'p',
      predicate: 'TRUE',
      priority: false,
      is_enabled: true,
      transitions: false,
      items: pictures.map(({ name, bytes, hash }, position) => ({
        id: name,
        position,
        duration: 10,
        asset: {
          id: name,
          type: 'image',
          title: name,
          asset_url: `${apiOrigin}/${name}`,
          md5: 'skip_md5',
          sha256: hash,
          size: bytes.length,
          headers: {},
          status: 'finished',
        },
      })),
    },
  ],
});

/** A screen in a folder of its own that has synced the two pictures from an API that is a table. */
async function world(t: TestContext, directory?: string) {
  const folder = directory ?? (await mkdtemp(join(tmpdir(), 'signet-content-')));
  if (directory === undefined) {
    t.after(() => rm(folder, { recursive: true }));
    // Content watches the clock for as long as the process lives; these tests end before.
    t.mock.timers.enable({ apis: ['setTimeout'] });
  }
  const text = JSON.stringify({
    server: { origin: apiOrigin },
    identity: { deviceCaFile: '/ca.pem', hostname: 'screen' },
    state: { directory: folder },
  });
  const shown: Snapshot[] = [];
  const { problems: _, blanked: __, program: ___, ...facts } = playingFacts;
  const book = createFactBook(
    { ...facts, program: null },
    { whenRevoked: 'keep-playing', graceSeconds: 0 },
    () => 0,
    (snapshot) => void shown.push(snapshot),
  );
  const { log, lines } = recordedLog();
  const content = await openContent(parseSettings('settings.json', text, {}), book, log);
  const api: OriginClient = {
    origin: apiOrigin,
    call: () => Promise.reject(new Error('media are streamed')),
    open: async (path) => {
      const bytes = pictures.find(({ name }) => path === `/${name}`)?.bytes;
      return { status: bytes === undefined ? 404 : 200, header: () => undefined, body: Readable.from([bytes ?? '']) };
    },
    close: async () => {},
  };
  const playing = () => {
    const snapshot = shown.at(-1);
    return snapshot?.state === 'playing' ? snapshot.program.items.map(({ itemId }) => itemId) : [];
  };
  const fetch = () =>
    sync(
      {
        download: async () => ({ type: 'document', text: document, etag: '"7"' }),
        askAgain: (over) => new Promise((_, reject) => over.addEventListener('abort', () => reject(over.reason))),
        ...content.syncPorts({ api, foreign: () => assert.fail('no other origin is asked') }),
      },
      content.known(),
      signal,
    );
  const killers = () => lines.filter((line) => line.includes('media-kills-page')).map((line) => JSON.parse(line).hash);
  return { folder, content, fetch, playing, killers };
}

test('a file with which the page died twice is not shown any more; the rest of the program plays', async (t) => {
  const { content, fetch, playing, killers } = await world(t);
  await fetch();
  assert.deepEqual(playing(), ['red', 'green']);
  content.pageDied(green.hash);
  assert.deepEqual([playing(), killers()], [['red', 'green'], []]);
  content.pageDied(red.hash);
  assert.deepEqual([playing(), killers()], [['red', 'green'], []]);
  content.pageDied(green.hash);
  assert.deepEqual([playing(), killers()], [['red'], [green.hash]]);
  content.pageDied(green.hash);
  assert.deepEqual([playing(), killers()], [['red'], [green.hash]], 'it is said once');
});

test('such a file stays out when the same playlist comes again, and is not fetched again', async (t) => {
  const { content, fetch, playing } = await world(t);
  await fetch();
  for (let death = 0; death < 2; death++) content.pageDied(green.hash);
  await fetch();
  assert.deepEqual(playing(), ['red']);
  assert.equal(content.known().etag, '"7"', 'nothing is missing that a sync would have to bring');
});

test('a screen that was removed forgets what it suspected, with everything else', async (t) => {
  const { content, fetch, playing } = await world(t);
  await fetch();
  for (let death = 0; death < 2; death++) content.pageDied(green.hash);
  await content.forget();
  assert.deepEqual(content.known(), { etag: undefined, version: undefined, screenId: undefined, nowMs: undefined });
  await fetch();
  assert.deepEqual(playing(), ['red', 'green']);
});

test('after a restart the last good playlist says whose it is and when it was made', async (t) => {
  const first = await world(t);
  await first.fetch();
  const { content, playing } = await world(t, first.folder);
  assert.deepEqual(playing(), ['red', 'green']);
  assert.deepEqual(content.known(), { etag: '"7"', version: 7, screenId: 's1', nowMs: Date.UTC(2027, 0, 1) });
});

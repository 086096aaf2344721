/** Hostile and broken content: the last good playlist keeps playing, and the reason is reported. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, type Player, type Rig, readTree, test } from './rig.ts';

const fixtures = path.resolve('test/fixtures/hostile');

async function stillPlays(player: Player, from: number): Promise<void> {
  await player.logged('item-shown', {}, from);
  await expect(player.page.getByTestId('stage')).toBeVisible();
}

test('refuses every hostile playlist document and plays on', async ({ rig }) => {
  const player = await rig.startRegistered();
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const documents = (await readdir(path.join(fixtures, 'playlists-refused')))
    .filter((name) => name.endsWith('.json'))
    .sort();
  expect(documents.length).toBeGreaterThan(20);
  // A few through the whole path; the unit tests take every one of them through the parser.
  for (const name of documents.filter((_name, index) => index % 16 === 0)) {
    const from = player.log.length;
    rig.backend.setPlaylist({ rawBody: await readFile(path.join(fixtures, 'playlists-refused', name), 'utf8') });
    const failed = await player.logged('sync-failed', {}, from);
    expect(failed['code'], name).toMatch(/^(PLAYLIST_INVALID|SERVER_REPLY_INVALID)$/);
  }
  await stillPlays(player, player.log.length);
  await player.stop();
});

async function withOneItem(rig: Rig, name: string, bytes: Buffer, type = 'image') {
  const media = rig.backend.addMedia(name, bytes);
  const asset = {
    id: 'asset-x',
    type,
    title: 'x',
    asset_url: `${rig.backend.origin}/media/${media.sha256}`,
    md5: media.md5,
    sha256: media.sha256,
    size: media.sizeBytes,
    headers: {},
    status: 'finished',
  };
  return (changes: Record<string, unknown> = {}) =>
    rig.backend.setPlaylist({
      playlists: [
        {
          id: 'p',
          title: 'p',
          predicate: 'TRUE',
          priority: false,
          is_enabled: true,
          transitions: false,
          items: [{ id: 'item-x', position: 1, duration: 2, asset: { ...asset, ...changes } }],
        },
      ],
    });
}

test('refuses HTML that is named .png, and plays on', async ({ rig }) => {
  const player = await rig.startRegistered();
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const set = await withOneItem(rig, 'picture.png', Buffer.from('<!doctype html><script>location="//evil"</script>'));
  const from = player.log.length;
  set();
  await player.logged('sync-failed', { code: 'MEDIA_KIND' }, from);
  await stillPlays(player, player.log.length);
  await player.stop();
});

test('refuses media whose digest is not the one in the playlist, and plays on', async ({ rig }) => {
  const player = await rig.startRegistered();
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const picture = await readFile(path.resolve('test/fixtures/media/welcome.jpg'));
  const set = await withOneItem(rig, 'other.jpg', Buffer.concat([picture, Buffer.from([0])]));
  const from = player.log.length;
  set({ md5: 'skip_md5', sha256: '0'.repeat(64) });
  await player.logged('sync-failed', { code: 'MEDIA_DIGEST' }, from);
  await stillPlays(player, player.log.length);
  await player.stop();
});

test('a media file damaged on disk is found, no longer shown, and fetched again', async ({ rig }) => {
  await (await rig.startRegistered()).stop();
  const files = await readTree(path.join(rig.stateDirectory, 'store', 'media'));
  const [file, bytes] = [...files].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  if (file === undefined || bytes === undefined) throw new Error('the store holds media');
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0xff;
  await writeFile(file, bytes);
  const player = await rig.start();
  await player.logged('media-damaged', { code: 'MEDIA_DIGEST' });
  await expect
    .poll(async () => (await readFile(file).catch(() => Buffer.alloc(0))).length, { timeout: 20_000 })
    .toBe(bytes.length);
  await player.stop();
});

test('a web page that cannot be shown is reported, never skipped in silence', async ({ rig }) => {
  const player = await rig.startRegistered();
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const picture = await readFile(path.resolve('test/fixtures/media/welcome.jpg'));
  const set = await withOneItem(rig, 'web.jpg', picture);
  const from = player.log.length;
  set({ type: 'web', asset_url: 'https://127.0.0.1:8443/', md5: 'skip_md5', sha256: undefined });
  await player.logged('item-failed', { itemId: 'item-x', reason: 'address-refused-or-unreachable' }, from);
  await player.stop();
});

/** Two pictures that play by turns: the first for ten minutes, the second prepared behind it all that time. */
async function withTwoPictures(rig: Rig) {
  const items = await Promise.all(
    (
      [
        ['calm', 'red.png', 600],
        ['killer', 'green.png', 10],
      ] as const
    ).map(async ([id, file, duration], position) => {
      const media = rig.backend.addMedia(file, await readFile(path.resolve('test/fixtures/clips', file)));
      const asset = {
        id,
        type: 'image',
        title: id,
        asset_url: `${rig.backend.origin}/media/${media.sha256}`,
        md5: media.md5,
        sha256: media.sha256,
        size: media.sizeBytes,
        headers: {},
        status: 'finished',
      };
      return { id, position, duration, asset };
    }),
  );
  const shared = { predicate: 'TRUE', priority: false, is_enabled: true, transitions: false };
  rig.backend.setPlaylist({ playlists: [{ id: 'p', title: 'p', ...shared, items }] });
  return items.map(({ asset }) => `player://media/${asset.sha256}`);
}

/** Addresses of the pictures that the page has loaded; asked through main, because a crashed page is lost to Playwright. */
function loadedPictures(player: Player): Promise<string[]> {
  return player.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript(
      '[...document.images].filter((image) => image.naturalWidth > 0).map((image) => image.src)',
    ),
  );
}

test('a media file that kills the page twice is not shown any more, and the rest of the program plays', async ({
  rig,
}) => {
  const player = await rig.start();
  const [calm, killer] = await withTwoPictures(rig);
  // The page dies whenever it has got that file.
  await player.app.evaluate(({ BrowserWindow, session }, address) => {
    session.defaultSession.webRequest.onCompleted({ urls: [address ?? ''] }, () => {
      const [window] = BrowserWindow.getAllWindows();
      if (window !== undefined) process.kill(window.webContents.getOSProcessId(), 'SIGKILL');
    });
  }, killer);
  rig.backend.claim(await player.shownPin(), 'Lobby');
  const from = 0;
  await player.logged('media-kills-page', { hash: killer?.split('/').at(-1) }, from);
  await player.logged('item-omitted', { itemId: 'killer' }, from);
  await player.logged(
    'item-shown',
    { itemId: 'calm' },
    player.log.findIndex(({ event }) => event === 'item-omitted'),
  );
  const loaded = await loadedPictures(player);
  expect(loaded).toContain(calm);
  expect(loaded).not.toContain(killer);
  await player.stop();
});

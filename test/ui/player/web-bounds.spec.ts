/** What bounds a web page's process: death, silence, memory, age; and that the display is never empty because of it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { colours, expect, filled, foreign, onlyOnce, test, told, viewPid, watchMiddle, withLobby } from './lobby.ts';

/** Nothing tells of it. */
const nextIsReady = () => new Promise((resolve) => setTimeout(resolve, 1_500));

test('a page whose process dies on the display makes room for the next item at once', async ({ lobby }) => {
  const url = lobby.site.page('/dies', onlyOnce(filled(colours.green)));
  const from = lobby.show({ id: 'dies', asset_url: url, duration: 60 });
  await told(lobby, 'item-shown', 'dies', from);
  await lobby.seen(colours.green);
  await nextIsReady();
  const sights = watchMiddle(lobby);
  process.kill(await viewPid(lobby, '/dies'), 'SIGKILL');
  await lobby.player.logged('page-failed', { reason: 'crashed' }, from);
  await lobby.seen(colours.red);
  expect(foreign(sights())).toEqual([]);
});

test('a page whose process dies makes room for a web page at once', async ({ lobby }) => {
  const first = lobby.site.page('/dies-first', onlyOnce(filled(colours.green)));
  const second = lobby.site.page('/comes-second', filled(colours.blue));
  const from = lobby.show(
    { id: 'dies-first', asset_url: first, duration: 60 },
    { id: 'comes-second', asset_url: second },
  );
  await told(lobby, 'item-shown', 'dies-first', from);
  await lobby.seen(colours.green);
  await expect.poll(() => viewPid(lobby, '/comes-second')).toBeGreaterThan(0);
  await nextIsReady();
  const sights = watchMiddle(lobby);
  process.kill(await viewPid(lobby, '/dies-first'), 'SIGKILL');
  await lobby.seen(colours.blue);
  await told(lobby, 'item-shown', 'comes-second', from);
  expect(foreign(sights())).toEqual([]);
});

test('a page whose process is stopped makes room for the next item, and its process is ended', async ({ lobby }, {
  annotations,
}) => {
  const url = lobby.site.page('/stopped', onlyOnce(filled(colours.green)));
  const from = lobby.show({ id: 'stopped', asset_url: url, duration: 60 });
  await told(lobby, 'item-shown', 'stopped', from);
  await lobby.seen(colours.green);
  const pid = await viewPid(lobby, '/stopped');
  const sights = watchMiddle(lobby);
  process.kill(pid, 'SIGSTOP');
  const stoppedMs = performance.now();
  await lobby.player.logged('page-failed', { reason: 'hung' }, from);
  await lobby.seen(colours.red);
  annotations.push({ type: 'recovered after', description: `${Math.round(performance.now() - stoppedMs)} ms` });
  expect(foreign(sights())).toEqual([]);
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
});

test('a page whose process holds much memory is not kept for its next showing', async ({ lobby }) => {
  // 448 MiB, all of it touched.
  const grows = '<script>globalThis.held = new Uint8Array(448 * 2 ** 20).fill(1)</script>';
  const url = lobby.site.page('/heavy', filled(colours.green, grows));
  const from = lobby.show({ id: 'heavy', asset_url: url, duration: 2 });
  await told(lobby, 'item-shown', 'heavy', from);
  const first = await viewPid(lobby, '/heavy');
  const again = lobby.player.log.length;
  await told(lobby, 'item-shown', 'picture', again);
  await told(lobby, 'item-shown', 'heavy', again);
  expect(await viewPid(lobby, '/heavy')).not.toBe(first);
  expect(lobby.site.requests.filter(({ path }) => path === '/heavy').length).toBeGreaterThanOrEqual(2);
});

test('a page that takes ever more memory is ended and makes room for the next item', async ({ lobby }) => {
  const grows = `<script>globalThis.held = [];
    setTimeout(() => setInterval(() => { held.push(new Uint8Array(128 * 2 ** 20).fill(1)); }, 100), 1000)</script>`;
  const url = lobby.site.page('/glutton', onlyOnce(filled(colours.green, grows)));
  const from = lobby.show({ id: 'glutton', asset_url: url, duration: 60 });
  await told(lobby, 'item-shown', 'glutton', from);
  const pid = await viewPid(lobby, '/glutton');
  await lobby.player.logged('page-failed', { reason: 'memory' }, from);
  await lobby.seen(colours.red);
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
});

test('a page that has grown old is loaded by a fresh process; by settings that are mute none is heard', async () => {
  const settings = { page: { recycleAfterHours: 0.001 }, sound: { volume: 50, muted: true } };
  await withLobby(settings, async (lobby) => {
    const url = lobby.site.page('/old', filled(colours.green));
    const from = lobby.show({ id: 'old', asset_url: url, duration: 3.8, sound: true });
    await told(lobby, 'item-shown', 'old', from);
    const first = await viewPid(lobby, '/old');
    const muted = await lobby.player.app.evaluate(({ webContents }) =>
      webContents
        .getAllWebContents()
        .find((one) => one.getURL().endsWith('/old'))
        ?.isAudioMuted(),
    );
    expect(muted).toBe(true);
    const again = lobby.player.log.length;
    await told(lobby, 'item-shown', 'picture', again);
    await told(lobby, 'item-shown', 'old', again);
    expect(await viewPid(lobby, '/old')).not.toBe(first);
  });
});

test('when the player’s own page is replaced, web pages of the old one go with it, and the keyboard comes to the new one', async () => {
  await withLobby({ page: { recycleAfterHours: 0.0015 } }, async (lobby) => {
    const { player, rig } = lobby;
    const clip = rig.backend.addMedia('cyan.mp4', await readFile(path.resolve('test/fixtures/clips/cyan.mp4')));
    // The picture is too short for a successor to come up in: the old page raises the web page before it goes.
    let from = lobby.show(
      { id: 'over', asset_url: lobby.site.page('/over', filled(colours.green)), duration: 4 },
      { id: 'clip', type: 'video', asset_url: `${rig.backend.origin}/media/${clip.sha256}`, duration: 4 },
    );
    const recycling = await player.logged('page-recycling', {}, from);
    from = player.log.indexOf(await player.logged('page-recycled', {}, player.log.indexOf(recycling)));
    await told(lobby, 'item-shown', 'clip', from);
    await expect.poll(lobby.middle, { timeout: 2_500, intervals: [50] }).not.toBe(colours.green);

    // A view that is opened takes the keyboard; who has it a moment later?
    await player.app.evaluate(({ app, webContents }) => {
      const heirs: (string | undefined)[] = [];
      Object.assign(globalThis, { heirs });
      app.on('web-contents-created', (_event, made) => {
        const look = () => heirs.push(made.getURL(), webContents.getFocusedWebContents()?.getURL());
        made.on('focus', () => setTimeout(look, 100));
      });
    });
    from = lobby.show({ id: 'later', asset_url: lobby.site.page('/later', filled(colours.blue)), duration: 4 });
    await told(lobby, 'item-shown', 'later', from);
    const heirs = () => player.app.evaluate(() => (globalThis as unknown as { heirs: string[] }).heirs);
    const [view, heir] = (await heirs()).slice((await heirs()).findIndex((url) => url?.endsWith('/later')));
    expect(view).toMatch(/\/later$/);
    expect(heir).toBe('player://app/index.html');
    expect(player.log.filter(({ event }) => event === 'ipc-refused')).toEqual([]);
  });
});

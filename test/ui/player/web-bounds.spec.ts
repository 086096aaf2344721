/** What bounds a web page's process: death, silence, memory, age; and that the display is never empty because of it. */
import { existsSync } from 'node:fs';
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

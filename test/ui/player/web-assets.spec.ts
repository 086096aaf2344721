/** What the fields of a web page's asset, and the settings, do to it. */

import { askView, colours, expect, filled, type Lobby, test, told, watchMiddle } from './lobby.ts';
import type { LogLine } from './rig.ts';

test('a page that is shown twice in a row is exchanged at its refresh interval, for both', async ({ lobby }) => {
  let loads = 0;
  const url = lobby.site.page('/fresh', (_request, response) => {
    loads += 1;
    response.writeHead(200, { 'content-type': 'text/html' }).end(filled(loads === 1 ? colours.green : colours.blue));
  });
  const fresh = { id: 'fresh', asset_url: url, refresh_interval: 10 };
  const from = lobby.show({ ...fresh, duration: 13 }, { ...fresh, duration: 4 });
  await lobby.seen(colours.green);
  const sights = watchMiddle(lobby);
  await lobby.seen(colours.blue);
  // The second showing was prepared as the first began, on the page that has gone since.
  const isShown = ({ event, itemId }: LogLine) => event === 'item-shown' && /^fresh-/.test(String(itemId));
  await expect.poll(() => lobby.player.log.slice(from).filter(isShown).length, { timeout: 20_000 }).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const views = () =>
    lobby.player.app.evaluate(
      ({ webContents }) => webContents.getAllWebContents().filter((one) => one.getURL().endsWith('/fresh')).length,
    );
  expect(await views()).toBe(1);
  // Not what comes after it, nor an empty stage, in between.
  expect(sights()).toEqual([colours.green, colours.blue]);
  expect(loads).toBe(2);
});

test('zoom and scroll position are those of the asset', async ({ lobby }) => {
  const below = `<div style="position:absolute;top:1000px;width:100%;height:3000px;background:rgb(${colours.green})">`;
  const url = lobby.site.page('/tall', filled(colours.blue, below));
  lobby.show({ id: 'tall', asset_url: url, zoom: 2, scroll_top: 1_000, duration: 3 });
  await lobby.seen(colours.green);
  // Of 1280 pixels of the display.
  expect(await askView(lobby, '/tall', '[innerWidth, scrollY]')).toEqual([640, 1_000]);
});

test('a page moves on at its scroll speed while it is shown', async ({ lobby }) => {
  const url = lobby.site.page('/moves', filled(colours.green, '<div style="height:90000px">'));
  const from = lobby.show({ id: 'moves', asset_url: url, scroll_top: 100, scroll_speed: 200, duration: 6 });
  await told(lobby, 'item-shown', 'moves', from);
  const top = async () => Number(await askView(lobby, '/moves', 'scrollY'));
  const first = await top();
  expect(first).toBeGreaterThanOrEqual(100);
  await expect.poll(top).toBeGreaterThan(first + 200);
  // 200 a second, and not as fast as it can; the item is over after 6 s.
  expect(await top()).toBeLessThan(100 + 7 * 200);
});

test('a page goes to an origin that its asset allows, and stays where none is allowed', async ({ lobby }) => {
  const goal = lobby.neighbour.page('/goal', filled(colours.green));
  const leads = filled(colours.blue, `<script>setTimeout(() => { location.href = '${goal}'; })</script>`);
  const [may, mayNot] = [lobby.site.page('/may', leads), lobby.site.page('/may-not', leads)];
  const visits = () => lobby.neighbour.requests.filter(({ path }) => path === '/goal').length;
  const refused = lobby.show({ id: 'may-not', asset_url: mayNot });
  await told(lobby, 'item-shown', 'may-not', refused);
  await lobby.seen(colours.blue);
  await lobby.player.logged('page-denied', { reason: 'frame-navigate' }, refused);
  expect(visits()).toBe(0);
  const from = lobby.show({ id: 'may', asset_url: may, allowed_origins: [lobby.neighbour.origin] });
  await told(lobby, 'item-shown', 'may', from);
  await lobby.seen(colours.green);
  expect(visits()).toBe(1);
});

interface Facts {
  readonly persistent: boolean;
  readonly muted: boolean;
  readonly preferences: Readonly<Record<string, unknown>>;
}

async function factsOf(lobby: Lobby, path: string): Promise<Facts | null> {
  return lobby.player.app.evaluate(({ webContents }, ending) => {
    const found = webContents.getAllWebContents().find((one) => one.getURL().endsWith(ending));
    if (found === undefined) return null;
    const { session } = found;
    // Not in Electron's types.
    const { getLastWebPreferences } = found as unknown as { getLastWebPreferences(): Record<string, unknown> };
    return {
      persistent: session.isPersistent(),
      muted: found.isAudioMuted(),
      preferences: getLastWebPreferences.call(found),
    };
  }, path);
}

test('the view of a page has the sandbox, no preload and a session in memory alone', async ({ lobby }) => {
  const from = lobby.show({ id: 'facts', asset_url: lobby.site.page('/facts', filled(colours.green)) });
  await told(lobby, 'item-shown', 'facts', from);
  const facts = await factsOf(lobby, '/facts');
  expect(facts?.persistent).toBe(false);
  expect(facts?.preferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    webviewTag: false,
  });
  expect(facts?.preferences['preload'] ?? '').toBe('');
});

test('a page is heard while it is shown, where its asset asks for sound', async ({ lobby }) => {
  const [heard, still] = [
    lobby.site.page('/heard', filled(colours.green)),
    lobby.site.page('/still', filled(colours.blue)),
  ];
  const from = lobby.show({ id: 'heard', asset_url: heard, sound: true }, { id: 'still', asset_url: still });
  await told(lobby, 'item-shown', 'heard', from);
  expect((await factsOf(lobby, '/heard'))?.muted).toBe(false);
  await told(lobby, 'item-shown', 'still', from);
  expect((await factsOf(lobby, '/still'))?.muted).toBe(true);
  // Kept for its next showing: let go a frame after the other one was there.
  const isMuted = async () => (await factsOf(lobby, '/heard'))?.muted;
  await expect.poll(isMuted, { intervals: [50], timeout: 1_000 }).toBe(true);
});

/** The picture on displays of other sizes and scale factors: every pixel of theirs is filled, by pictures and by web pages. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startSite } from '../../support/page-site.ts';
import { type Display, startDisplay } from '../mocked/display.ts';
import { sightOf } from '../mocked/observer.ts';
import { expect, type Rig, test } from './rig.ts';

/** 4K both ways and 720p, at the scale factors that desktops choose, and as a kiosk on Xorg has its windows managed. */
const displays = [
  { width: 3840, height: 2160, scale: 2, managed: false },
  { width: 2160, height: 3840, scale: 1.5, managed: false },
  { width: 1280, height: 720, scale: 1.25, managed: false },
  { width: 3840, height: 2160, scale: 1, managed: false },
  { width: 3840, height: 2160, scale: 2, managed: true },
  { width: 2160, height: 3840, scale: 1.5, managed: true },
  { width: 1280, height: 720, scale: 1.25, managed: true },
] as const;

/** The window manager of a kiosk on Xorg, as it is configured there (`kiosk-x-client`). */
function manage(rig: Rig, display: Display) {
  const config = path.resolve('build/kiosk/root/usr/lib/signet-player/openbox.xml');
  return spawn('openbox', ['--sm-disable', '--config-file', config], {
    env: { ...rig.environment(), DISPLAY: display.name },
    stdio: 'ignore',
  });
}

/** The outermost pixels, clockwise from the upper left. */
const edges = (display: Display, width: number, height: number) =>
  (
    [
      [0, 0],
      [width - 1, 0],
      [width - 1, height - 1],
      [0, height - 1],
    ] as const
  ).map(([x, y]) => sightOf(display.pixel(x, y)));

async function play(rig: Rig, page: string): Promise<void> {
  const bytes = await readFile(path.resolve('test/fixtures/clips/corners.png'));
  const media = rig.backend.addMedia('corners.png', bytes);
  const { sha256, md5, sizeBytes: size } = media;
  const picture = { id: 'corners', type: 'image', title: 'c', asset_url: `${rig.backend.origin}/media/${sha256}` };
  const items = [
    { id: 'corners', position: 1, duration: 2, asset: { ...picture, sha256, md5, size, status: 'finished' } },
    { id: 'page', position: 2, duration: 2, asset: { id: 'w', type: 'web', title: 'w', asset_url: page } },
  ];
  const shared = { predicate: 'TRUE', priority: false, is_enabled: true, transitions: false };
  rig.backend.setPlaylist({ playlists: [{ id: 'p', title: 'p', ...shared, items }] });
}

test('pictures and web pages fill displays from 720p to 4K portrait, at every scale factor', async ({ rig }) => {
  test.setTimeout(240_000);
  const site = await startSite();
  const url = site.page('/', '<!doctype html><style>html{background:rgb(0,0,255)}</style>');
  const { origin } = site;
  rig.settings = {
    display: { fit: 'fill' },
    network: { allowHttpFor: [origin], allowPrivatePages: [origin] },
  };
  await play(rig, url);
  const registered = await rig.startRegistered();
  await registered.stop();
  for (const { width, height, scale, managed } of displays) {
    const where = `${width} × ${height} at ${scale}${managed ? ' with a window manager' : ''}`;
    const display = await startDisplay(width, height);
    const manager = managed ? manage(rig, display) : null;
    const player = await rig.start({ display, args: [`--force-device-scale-factor=${scale}`] });
    expect(await player.page.evaluate(() => devicePixelRatio), where).toBe(scale);
    const look = () => edges(display, width, height);
    const waiting = { message: where, timeout: 30_000, intervals: [20] };
    await expect.poll(look, waiting).toEqual(['red', 'green', 'yellow', 'blue']);
    await expect.poll(look, waiting).toEqual(['blue', 'blue', 'blue', 'blue']);
    await player.stop();
    expect(manager?.exitCode ?? null, 'the window manager ran to the end').toBe(null);
    manager?.kill();
    await display.stop();
  }
  await site.close();
});

/** HLS streams on the real player from real servers: what plays, what is passed over and reported, what is impossible. */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type { PlayerBridge } from '../../../electron/ipc/contract.ts';
import { type Asset, colours, expect, type Lobby, test, told } from './lobby.ts';

const yellow = /^(2[3-5]\d),(2[3-5]\d),(\d|1\d|2\d)$/;

/** Serves the files of test/fixtures/streams below a path. */
async function serve(site: Lobby['site'], folder: string, names: readonly string[]): Promise<string> {
  for (const name of names) {
    const bytes = await readFile(path.resolve('test/fixtures/streams', name));
    site.page(`${folder}/${name}`, (_request, response) => response.writeHead(200).end(bytes));
  }
  return `${site.origin}${folder}/${names[0]}`;
}

const plain = (lobby: Lobby, folder: string) =>
  serve(lobby.site, folder, ['segments.m3u8', 'segments-0.mpegts', 'segments-1.mpegts']);

const stream = (id: string, asset_url: string, more: Partial<Asset> = {}): Asset => ({
  id,
  type: 'streaming',
  asset_url,
  ...more,
});

test('shows a stream from a server, and the page learns neither its address nor its headers', async ({ lobby }) => {
  const url = await plain(lobby, '/plain');
  const from = lobby.show(
    stream('plain', `${url}?token=hunter2`, { duration: 3, headers: { authorization: 'Bearer secret' } }),
  );
  await told(lobby, 'item-shown', 'plain', from);
  await expect.poll(lobby.middle, { timeout: 30_000, intervals: [50] }).toMatch(yellow);
  expect(lobby.site.requests.findLast(({ path }) => path === '/plain/segments.m3u8')?.headers['authorization']).toBe(
    'Bearer secret',
  );
  const seen = await lobby.player.page.evaluate(async () => {
    const snapshot = JSON.stringify(await (window as unknown as { player: PlayerBridge }).player.snapshot());
    const address = /player:\/\/stream\/[0-9a-f]{32}\/0/.exec(snapshot)?.[0] ?? '';
    return `${snapshot} ${await (await fetch(address)).text()}`;
  });
  expect(seen).toContain('#EXTINF:2,\nplayer://stream/');
  for (const secret of [lobby.site.origin, '127.0.0.1', 'hunter2', 'Bearer', 'segments'])
    expect(seen).not.toContain(secret);
});

test('a live stream plays on as its playlist grows, and shows its newest part', async ({ lobby }) => {
  await plain(lobby, '/live');
  const beganMs = Date.now();
  const url = lobby.site.page('/live/now.m3u8', (_request, response) => {
    // A window of three segments that moves on by one every two seconds; the two files in turn.
    const sequence = Math.floor((Date.now() - beganMs) / 2_000);
    const lines = [0, 1, 2].flatMap((at) => [
      '#EXT-X-DISCONTINUITY',
      '#EXTINF:2,',
      `segments-${(sequence + at) % 2}.mpegts?${sequence + at}`,
    ]);
    const head = [
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      '#EXT-X-TARGETDURATION:2',
      `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
      `#EXT-X-DISCONTINUITY-SEQUENCE:${sequence}`,
    ];
    response
      .writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl' })
      .end([...head, ...lines, ''].join('\n'));
  });
  const from = lobby.show(stream('live', url, { duration: 7 }));
  // On a busy machine it may be late at first, and comes in the next round.
  const shown = lobby.player.log.indexOf(await told(lobby, 'item-shown', 'live', from));
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  await lobby.seen(colours.red);
  const failures = lobby.player.log
    .slice(shown)
    .filter(({ event, itemId }) => event === 'item-failed' && String(itemId).startsWith('live'));
  expect(failures).toEqual([]);
  expect(lobby.site.requests.filter(({ path }) => path === '/live/now.m3u8').length).toBeGreaterThan(2);
});

/** What servers that do not serve a stream answer, and as what that is reported. */
const failing: Readonly<Record<string, readonly [reason: RegExp, answer: (response: ServerResponse) => unknown]>> = {
  missing: [/http-status/, (response) => response.writeHead(404).end('#EXTM3U')],
  markup: [/not-a-stream/, (response) => response.writeHead(200).end('<!doctype html>')],
  file: [/address-refused/, (response) => response.end('#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n')],
  endless: [
    /too-large/,
    (response) => {
      response.write('#EXTM3U\n');
      const more = setInterval(() => response.write('#'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(more));
    },
  ],
  redirect: [/address-refused/, (response) => response.writeHead(302, { location: 'https://127.0.0.1:9/' }).end()],
  trickle: [
    /deadline|timeout/,
    (response) => {
      response.write('#EXTM3U\n');
      const more = setInterval(() => response.write('#\n'), 100);
      response.on('close', () => clearInterval(more));
    },
  ],
  silent: [/deadline|timeout/, () => {}],
};

test('servers that answer 404, with a page, a file’s address, without end, elsewhere, slowly or never are passed over', async ({
  lobby,
}) => {
  const assets = Object.entries(failing).map(([asset, [, answer]]) =>
    stream(
      asset,
      lobby.site.page(`/${asset}.m3u8`, (_request, response) => void answer(response)),
    ),
  );
  const from = lobby.show(...assets);
  for (const [asset, [reason]] of Object.entries(failing)) {
    const failed = await told(lobby, 'item-failed', asset, from);
    expect(String(failed['reason']), asset).toMatch(reason);
  }
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  await lobby.seen(colours.red);
});

test('a stream without segments, and one that breaks off while it is shown, give way to the next item', async ({
  lobby,
}) => {
  await plain(lobby, '/stuck');
  lobby.site.page('/stuck/segments-0.mpegts', () => {});
  await plain(lobby, '/torn');
  lobby.site.page('/torn/segments-1.mpegts', (_request, response) => response.writeHead(500).end());
  const [stuck, torn] = ['stuck', 'torn'].map((asset) =>
    stream(asset, `${lobby.site.origin}/${asset}/segments.m3u8`, { duration: 60 }),
  ) as [Asset, Asset];
  const from = lobby.show(stuck, torn);
  expect((await told(lobby, 'item-failed', 'stuck', from))['reason']).toMatch(/deadline|timeout/);
  // On a busy machine it may be late at first, and comes in the next round.
  const shown = lobby.player.log.indexOf(await told(lobby, 'item-shown', 'torn', from));
  expect((await told(lobby, 'item-failed', 'torn', shown))['reason']).toMatch(/stalled|http-status/);
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
});

test('streams that hang keep no other stream of their server dark', async ({ lobby }) => {
  await plain(lobby, '/good');
  const hanging = Array.from({ length: 12 }, (_, at) => {
    const name = `hangs${at}`;
    return stream(
      name,
      lobby.site.page(`/${name}.m3u8`, () => {}),
      { duration: 60 },
    );
  });
  const from = lobby.show(...hanging, stream('good', `${lobby.site.origin}/good/segments.m3u8`, { duration: 2 }));
  await told(lobby, 'item-shown', 'good', from);
  await expect.poll(lobby.middle, { timeout: 30_000, intervals: [50] }).toMatch(yellow);
  await lobby.seen(colours.red);
});

test('a stream reaches no private address that the settings do not name, nor the management server', async ({
  lobby,
}) => {
  const { stranger, rig, site } = lobby;
  const before = stranger.connections();
  const of = (address: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${address}\n#EXT-X-ENDLIST\n`;
  const playlist = (name: string, address: string) =>
    site.page(`/${name}.m3u8`, (_request, response) => response.end(of(address)));
  site.page('/hop.ts', (_request, response) =>
    response.writeHead(302, { location: `${stranger.origin}/s/segments-0.mpegts` }).end(),
  );
  const wanted = {
    outside: await serve(stranger, '/s', ['segments.m3u8']),
    segment: playlist('segment', `${stranger.origin}/s/segments-0.mpegts`),
    hop: playlist('hop', 'hop.ts'),
    server: `${rig.backend.origin}/x.m3u8`,
  };
  const from = lobby.show(...Object.entries(wanted).map(([asset, url]) => stream(asset, url)));
  for (const asset of Object.keys(wanted))
    expect((await told(lobby, 'item-failed', asset, from))['reason']).toMatch(/address-refused|unreachable|deadline/);
  expect(stranger.connections()).toBe(before);
});

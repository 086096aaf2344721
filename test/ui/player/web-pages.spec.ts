/** Web pages on the real player with real servers: what is shown, what is skipped and reported, what is impossible. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { chord, enter, press } from './keyboard.ts';
import {
  askView,
  colours,
  expect,
  filled,
  foreign,
  type Lobby,
  onlyOnce,
  pin,
  test,
  told,
  viewPid,
  watchMiddle,
} from './lobby.ts';
import { type LogLine, readTree } from './rig.ts';

/** A page that does something, and is green when the outcome is the expected one, else blue. */
const judging = (expression: string) =>
  filled(
    '1,2,3',
    `<script>
      (async () => (${expression}))().catch((error) => 'thrown ' + error.name).then((outcome) => {
        document.title = String(outcome);
        document.body.style.background = outcome === true ? 'rgb(${colours.green})' : 'rgb(${colours.blue})';
      });
    </script>`,
  );

async function skipped(lobby: Lobby, asset: string, from: number, reason: string | RegExp): Promise<void> {
  const sights = watchMiddle(lobby);
  const failed = await told(lobby, 'item-failed', asset, from);
  expect(String(failed['reason'])).toMatch(reason);
  // The rest of the program plays on, and nothing of a browser's own error page is seen.
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  await lobby.seen(colours.red);
  expect(foreign(sights())).toEqual([]);
}

test('shows a page over the whole display, between pictures, without a gap', async ({ lobby }) => {
  const url = lobby.site.page('/plain', filled(colours.green));
  const from = lobby.show({ id: 'plain', asset_url: url });
  await told(lobby, 'item-shown', 'plain', from);
  await lobby.seen(colours.green);
  const corners = [
    [0, 0],
    [1279, 0],
    [0, 719],
    [1279, 719],
  ] as const;
  const inCorners = () => corners.map(([x, y]) => lobby.rig.display.pixel(x, y).join(','));
  await expect.poll(inCorners, { intervals: [20] }).toEqual(corners.map(() => colours.green));
  const seen = new Set<string>();
  const end = Date.now() + 7_000;
  while (Date.now() < end) {
    seen.add(lobby.middle());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect([...seen].sort()).toEqual([colours.green, colours.red].sort());
});

test('a page that is shown again was kept: it is loaded once', async ({ lobby }) => {
  const url = lobby.site.page('/kept', filled(colours.green));
  const from = lobby.show({ id: 'kept', asset_url: url, duration: 1 });
  await told(lobby, 'item-shown', 'kept', from);
  await told(lobby, 'item-shown', 'kept', lobby.player.log.length);
  await told(lobby, 'item-shown', 'kept', lobby.player.log.length);
  expect(lobby.site.requests.filter(({ path }) => path === '/kept')).toHaveLength(1);
});

for (const [what, asset, answer, reason] of [
  ['answers 404', 'missing', 404, 'http-status'],
  ['answers 500', 'broken', 500, 'http-status'],
  ['answers 204', 'nothing', 204, 'not-a-page'],
] as const)
  test(`a page that ${what} is skipped and reported`, async ({ lobby }) => {
    const url = lobby.site.page(`/${asset}`, (_request, response) => response.writeHead(answer).end('<body>no'));
    await skipped(lobby, asset, lobby.show({ id: asset, asset_url: url }), reason);
  });

test('pages that never answer, or begin and never end, are given up at their deadline', async ({ lobby }) => {
  const silent = lobby.site.page('/silent', () => {});
  const drip = lobby.site.page('/drip', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    const dripping = setInterval(() => response.write('<!-- -->'), 200);
    response.on('close', () => clearInterval(dripping));
  });
  const from = lobby.show({ id: 'silent', asset_url: silent }, { id: 'drip', asset_url: drip });
  await skipped(lobby, 'silent', from, /^deadline$/);
  await skipped(lobby, 'drip', from, /^deadline$/);
  // Passed over at once; the page itself has longer, and is then done with.
  await lobby.player.logged('page-failed', { assetId: 'silent', reason: 'load-deadline' }, from);
  await lobby.player.logged('page-failed', { assetId: 'drip', reason: 'load-deadline' }, from);
});

test('a certificate that is not trusted skips the page', async ({ lobby }) => {
  const from = lobby.show({ id: 'untrusted', asset_url: `${lobby.untrusted}/` });
  await skipped(lobby, 'untrusted', from, 'certificate');
});

test('the management server is no web page', async ({ lobby }) => {
  const from = lobby.show({ id: 'server', asset_url: `${lobby.rig.backend.origin}/` });
  await skipped(lobby, 'server', from, 'address-refused');
});

test('a private address that the settings do not name is never connected to', async ({ lobby }) => {
  const url = lobby.stranger.page('/private', filled(colours.blue));
  const before = lobby.stranger.connections();
  const from = lobby.show({ id: 'private', asset_url: url });
  await skipped(lobby, 'private', from, 'unreachable');
  await lobby.player.logged('page-request-denied', { reason: 'private-address' }, from);
  expect(lobby.stranger.connections()).toBe(before);
});

test('a redirect to another origin is refused, and nothing is connected to', async ({ lobby }) => {
  const target = lobby.stranger.page('/target', filled(colours.blue));
  const url = lobby.site.page('/redirect', (_request, response) => response.writeHead(302, { location: target }).end());
  const before = lobby.stranger.connections();
  await skipped(lobby, 'redirect', lobby.show({ id: 'redirect', asset_url: url }), /^(?:not-a-page|address-refused)$/);
  expect(lobby.stranger.connections()).toBe(before);
});

test('a page reaches no private address by whatever means', async ({ lobby }) => {
  const trap = createTcpServer((socket) => socket.destroy());
  let connections = 0;
  trap.on('connection', () => {
    connections += 1;
  });
  trap.listen(0, '127.0.0.1');
  await once(trap, 'listening');
  const { port } = trap.address() as AddressInfo;
  let datagrams = 0;
  const udp = createSocket('udp4', () => {
    datagrams += 1;
  });
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const udpPort = udp.address().port;
  const before = lobby.stranger.connections();
  const url = lobby.site.page(
    '/reach',
    judging(`await (async () => {
      const places = ['${lobby.stranger.origin}', 'http://127.0.0.1:${port}', 'http://localhost:${port}',
        'https://127.0.0.1:${port}', '${lobby.rig.backend.origin}'];
      for (const place of places) {
        const link = document.createElement('link');
        link.rel = 'preconnect'; link.href = place; document.head.append(link);
        new Image().src = place + '/i.png';
        document.body.append(Object.assign(document.createElement('iframe'), { src: place + '/f' }));
        document.head.append(Object.assign(document.createElement('script'), { src: place + '/s.js' }));
        navigator.sendBeacon(place + '/b', 'x');
        try { new EventSource(place + '/e'); } catch {}
        try { new WebSocket(place.replace('http', 'ws') + '/w'); } catch {}
      }
      for (const place of places) void fetch(place + '/x', { mode: 'no-cors' }).catch(() => {});
      const peer = new RTCPeerConnection({ iceTransportPolicy: 'relay', iceServers: [
        { urls: 'turn:127.0.0.1:${port}?transport=tcp', username: 'a', credential: 'b' },
        { urls: 'turns:127.0.0.1:${port}?transport=tcp', username: 'a', credential: 'b' }] });
      peer.createDataChannel('x');
      void peer.createOffer().then((offer) => peer.setLocalDescription(offer));
      await new Promise((done) => setTimeout(done, 1500));
      try { new WebTransport('https://127.0.0.1:${udpPort}/').ready.catch(() => {}); } catch {}
      await new Promise((done) => setTimeout(done, 500));
      return true;
    })()`),
  );
  const from = lobby.show({ id: 'reach', asset_url: url, duration: 4 });
  await told(lobby, 'item-shown', 'reach', from);
  await lobby.seen(colours.green);
  // What is tried behind the page's back has had its time.
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  expect({ connections, datagrams }).toEqual({ connections: 0, datagrams: 0 });
  udp.close();
  expect(lobby.stranger.connections()).toBe(before);
  trap.close();
});

test('request headers go to exactly the origin of the page, and only where it asks itself', async ({ lobby }) => {
  const { origin } = lobby.site;
  lobby.site.page('/data', (_request, response) => response.writeHead(200).end('1'));
  const url = lobby.site.page(
    '/headers',
    judging(`await (async () => {
      const frame = document.createElement('iframe');
      frame.srcdoc = '<script>fetch("${origin}/data?framed", { mode: "no-cors" })<' + '/script>';
      frame.sandbox = 'allow-scripts';
      document.body.append(frame);
      await fetch('/data?own');
      await new Promise((done) => setTimeout(done, 500));
      return true;
    })()`),
  );
  const from = lobby.show({ id: 'headers', asset_url: url, headers: { 'X-Token': 'secret' } });
  await told(lobby, 'item-shown', 'headers', from);
  await lobby.seen(colours.green);
  const given = (path: string) =>
    lobby.site.requests.filter((one) => one.path === path).map((one) => one.headers['x-token']);
  expect(given('/headers')).toEqual(['secret']);
  // The frame has a process of its own, whose beginning the page does not wait for.
  await expect.poll(() => given('/data').sort()).toEqual(['secret', undefined]);
});

test('two assets share nothing: each has a session of its own', async ({ lobby }) => {
  const leaves = `<script>localStorage.who = 'me'; document.cookie = 'who=me';</script>`;
  const sets = lobby.site.page('/sets', filled('1,2,3', leaves));
  const asks = lobby.site.page('/asks', judging(`localStorage.who === undefined && document.cookie === ''`));
  const from = lobby.show({ id: 'sets', asset_url: sets }, { id: 'asks', asset_url: asks });
  await told(lobby, 'item-shown', 'asks', from);
  await lobby.seen(colours.green);
  // What the other one left was there by then.
  expect(await askView(lobby, '/sets', 'localStorage.who + document.cookie')).toBe('mewho=me');
});

for (const [what, expression] of [
  [
    'has no bridge, no Node and no preload',
    `typeof player === 'undefined' && typeof require === 'undefined' && typeof process === 'undefined'`,
  ],
  [
    'cannot stop the display with dialogs',
    `(() => { for (let i = 0; i < 50; i++) { alert(i); confirm(i); try { prompt(i); } catch {} } print(); return true; })()`,
  ],
  [
    'opens no window',
    `Array.from({ length: 50 }, () => open('/plain', 'w' + Math.random())).every((opened) => opened === null)`,
  ],
  [
    'does not hold on with beforeunload',
    `(() => { addEventListener('beforeunload', (event) => { event.preventDefault(); event.returnValue = 'stay'; }); return true; })()`,
  ],
  [
    'gets no permission',
    `(await Promise.all(['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi'].map((name) => navigator.permissions.query({ name }).then(({ state }) => state, () => 'denied')))).every((state) => state === 'denied')`,
  ],
  [
    'may fill its history',
    `(() => { for (let i = 0; i < 300; i++) history.pushState(i, '', '#' + i); history.go(-299); return true; })()`,
  ],
  [
    'may ask a meta refresh to a file in vain',
    `(() => { document.head.insertAdjacentHTML('beforeend', '<meta http-equiv="refresh" content="0;url=file:///etc/passwd">'); return true; })()`,
  ],
  [
    'shows nothing of the player in a frame',
    `await new Promise((done) => { const frame = document.createElement('iframe'); frame.src = 'player://app/index.html'; document.body.append(frame); setTimeout(() => { let read = null; try { read = frame.contentDocument?.getElementById('root') ?? null; } catch {} done(read === null); }, 500); })`,
  ],
  [
    'has no cursor and hears no hand',
    `await new Promise((done) => setTimeout(() => { const { cursor, pointerEvents } = getComputedStyle(document.body); done(cursor === 'none' && pointerEvents === 'none'); }, 800))`,
  ],
] as const)
  test(`a page ${what}`, async ({ lobby }) => {
    const asset = what.replaceAll(/[^a-z]/g, '').slice(0, 30);
    const windows = await lobby.player.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    const url = lobby.site.page(`/${asset}`, judging(expression));
    const from = lobby.show({ id: asset, asset_url: url });
    await told(lobby, 'item-shown', asset, from);
    await lobby.seen(colours.green);
    // It goes when its time is over, whatever it did.
    await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
    await lobby.seen(colours.red);
    expect(await lobby.player.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(windows);
  });

test('a page navigates neither to files, to the player, to scripts nor to another origin', async ({ lobby }) => {
  const addresses = [
    'file:///etc/passwd',
    'player://app/index.html',
    'data:text/html,x',
    'mailto:a@b',
    'blob:null/1',
    `${lobby.neighbour.origin}/elsewhere`,
  ];
  const assets = addresses.map((address, at) => {
    const leaves = `<script>setTimeout(async () => { await fetch('/tried${at}'); location.href = '${address}'; })</script>`;
    return {
      id: `leaves${at}`,
      asset_url: lobby.site.page(`/leaves${at}`, filled(colours.green, leaves)),
      duration: 1,
    };
  });
  const asked = lobby.neighbour.connections();
  const from = lobby.show(...assets);
  for (const { id } of assets) await told(lobby, 'item-shown', id, from);
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  const tried = lobby.site.requests.flatMap(({ path }) => (path.startsWith('/tried') ? [path] : []));
  expect([...new Set(tried)].sort()).toEqual(addresses.map((_, at) => `/tried${at}`));
  expect(lobby.neighbour.connections()).toBe(asked);
  // A page that had left its origin would have failed with `navigation`; one that a busy machine begins late is passed over.
  const failures = ['item-failed', 'page-failed'];
  const hasFailed = ({ event, reason }: LogLine) => failures.includes(event) && reason !== 'deadline';
  expect(lobby.player.log.slice(from).filter(hasFailed)).toEqual([]);
  await lobby.player.logged('page-denied', { reason: 'frame-navigate' }, from);
});

test('a page that had a hand’s gesture would get no device, screen, pointer or clipboard either', async ({ lobby }) => {
  const from = lobby.show({ id: 'asks', asset_url: lobby.site.page('/asks-for', filled(colours.green)), duration: 8 });
  await told(lobby, 'item-shown', 'asks', from);
  const bounds = () =>
    lobby.player.app.evaluate(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows();
      return [window?.getBounds(), window?.isFullScreen()];
    });
  const before = await bounds();
  const answers: Record<string, unknown> = {};
  for (const [what, expression] of Object.entries({
    screen: 'navigator.mediaDevices.getDisplayMedia({ video: true })',
    usb: 'navigator.usb.requestDevice({ filters: [] })',
    serial: 'navigator.serial.requestPort()',
    hid: 'navigator.hid.requestDevice({ filters: [] }).then(({ length }) => length)',
    place: 'new Promise((found, refused) => navigator.geolocation.getCurrentPosition(found, refused))',
    notifications: 'Notification.requestPermission()',
    pointer: 'document.body.requestPointerLock()',
    clipboard: 'navigator.clipboard.readText()',
    // Chromium never answers where it is denied.
    fullscreen: `Promise.race([document.body.requestFullscreen(), new Promise((done) => setTimeout(done, 1000))])
      .then(() => document.fullscreenElement === null ? 'none' : 'full')`,
  })) {
    const told = '(given) => JSON.stringify(given), ({ name, message, code }) => [name, code, message].join(" ")';
    answers[what] = await askView(lobby, '/asks-for', `(async () => ${expression})().then(${told})`, true);
  }
  // None of them for want of a gesture, which would be another answer.
  expect(answers).toEqual({
    screen: expect.stringMatching(/^NotAllowedError/),
    usb: expect.stringMatching(/No device selected/),
    serial: expect.stringMatching(/No port selected/),
    hid: '0',
    place: expect.stringMatching(/^ 1 /),
    notifications: '"denied"',
    pointer: expect.stringMatching(/^SecurityError .*sandboxed/),
    clipboard: expect.stringMatching(/^NotAllowedError .*denied/),
    fullscreen: '"none"',
  });
  expect(await bounds()).toEqual(before);
  await lobby.player.logged('permission-denied', { reason: 'fullscreen' }, from);
});

test('what a page offers as a download is not saved, and a page that is one is skipped', async ({ lobby }) => {
  const mark = 'kilroy-was-here-4711';
  const url = lobby.site.page('/attached', (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html', 'content-disposition': 'attachment; filename="a.html"' })
      .end(`<body>${mark}`),
  );
  await skipped(lobby, 'attached', lobby.show({ id: 'attached', asset_url: url }), 'not-a-page');
  const offers = `(() => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['${mark}']));
    link.download = 'x';
    document.body.append(link);
    link.click();
    return 'clicked';
  })()`;
  const from = lobby.show({ id: 'offers', asset_url: lobby.site.page('/offers', filled(colours.green)) });
  await told(lobby, 'item-shown', 'offers', from);
  expect(await askView(lobby, '/offers', offers, true)).toBe('clicked');
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  await told(lobby, 'item-shown', 'offers', lobby.player.log.length);
  const files = [...(await readTree(lobby.rig.folder))];
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter(([, bytes]) => bytes.includes(mark)).map(([file]) => file)).toEqual([]);
});

test('a page gets no service worker, whose documents would come without the page’s limits', async ({ lobby }) => {
  lobby.site.page('/worker.js', (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/javascript' })
      .end(`addEventListener('fetch', (event) => event.respondWith(new Response('<script>print()</' + 'script>')));`),
  );
  const asks = `await navigator.serviceWorker.register('/worker.js').then(() => false, () => true)`;
  const from = lobby.show({ id: 'worker', asset_url: lobby.site.page('/worker', judging(asks)) });
  await told(lobby, 'item-shown', 'worker', from);
  await lobby.seen(colours.green);
  expect(lobby.site.requests.some(({ path }) => path === '/worker.js')).toBe(false);
});

test('a hand on a page is no gesture, upon which it could open the system’s file dialog', async ({ lobby }) => {
  // Another process than that of the page before it (COOP): the hand is kept off it, too.
  lobby.site.page('/hand', (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html', 'cross-origin-opener-policy': 'same-origin' })
      .end(filled(colours.green, '<input type="file"><script>document.title = "hand"</script>')),
  );
  const url = lobby.site.page('/before-hand', filled(colours.blue, '<script>location.href = "/hand"</script>'));
  const from = lobby.show({ id: 'hand', asset_url: url, duration: 4 });
  await told(lobby, 'item-shown', 'hand', from);
  await lobby.seen(colours.green);
  const gestures = await lobby.player.app.evaluate(async ({ webContents }) => {
    const page = webContents.getAllWebContents().find((one) => one.getURL().endsWith('/hand'));
    const isGesture = () => page?.executeJavaScript('navigator.userActivation.hasBeenActive');
    const before = await isGesture();
    for (const type of ['mouseDown', 'mouseUp'] as const)
      page?.sendInputEvent({ type, x: 300, y: 300, button: 'left', clickCount: 1 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    return [before, await isGesture()];
  });
  expect(gestures).toEqual([false, false]);
});

test('a page in an endless loop makes room for the next item', async ({ lobby }) => {
  const url = lobby.site.page(
    '/hangs',
    onlyOnce(filled(colours.green, '<script>setTimeout(() => { for (;;); }, 2500)</script>')),
  );
  const from = lobby.show({ id: 'hangs', asset_url: url, duration: 60 });
  await told(lobby, 'item-shown', 'hangs', from);
  await lobby.player.logged('page-failed', { reason: 'hung' }, from);
  await lobby.seen(colours.red);
});

test('the operator’s overlay lies over a web page, and the page is there again after it', async ({ lobby }) => {
  const { player } = lobby;
  const url = lobby.site.page('/under', filled(colours.green));
  const from = lobby.show({ id: 'under', asset_url: url, duration: 15 });
  await told(lobby, 'item-shown', 'under', from);
  await lobby.seen(colours.green);
  await chord(player);
  await expect(player.page.getByTestId('pin-dots')).toBeVisible();
  await expect.poll(lobby.middle).not.toBe(colours.green);
  await enter(player, pin);
  await expect(player.page.getByTestId('operator-state')).toHaveText('Playing');
  const corner = () => lobby.rig.display.pixel(3, 3).join(',');
  expect(corner()).not.toBe(colours.green);
  await press(player, 'Escape');
  await lobby.seen(colours.green);
  await expect.poll(corner).toBe(colours.green);
  const ofIt = ({ event, itemId }: LogLine) => event === 'item-failed' && /^under-/.test(String(itemId));
  expect(player.log.slice(from).filter(ofIt)).toEqual([]);
});

// Behind this one the runner no longer reaches the player’s page.
test('the player’s own page may die under a web page and comes back', async ({ lobby }) => {
  const url = lobby.site.page('/above', filled(colours.green));
  const from = lobby.show({ id: 'above', asset_url: url, duration: 4 });
  await told(lobby, 'item-shown', 'above', from);
  await lobby.seen(colours.green);
  process.kill(await viewPid(lobby, 'player://app/index.html'), 'SIGKILL');
  await lobby.player.logged('page-recovery', { reason: 'gone' }, from);
  await told(lobby, 'item-shown', 'picture', lobby.player.log.length);
  await lobby.seen(colours.red);
});

test('what pages leave behind is bounded: views are ended, two are kept', async ({ lobby }) => {
  lobby.show();
  await expect
    .poll(() => lobby.player.app.evaluate(({ webContents }) => webContents.getAllWebContents().length), {
      timeout: 20_000,
    })
    .toBeLessThanOrEqual(3);
});

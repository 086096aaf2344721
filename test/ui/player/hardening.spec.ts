/** Sandbox, switches, the page's lack of power, and its recovery from crash and hang. */
import { spawn } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Display } from '../mocked/display.ts';
import { expect, type Player, type Rig, spawnPlayer, test } from './rig.ts';

async function processes(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    if (new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status))
      found.push(Number(name), ...(await processes(Number(name))));
  }
  return found;
}

async function rendererPid(player: Player): Promise<number> {
  return player.app.evaluate(
    ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? 0,
  );
}

test('the renderer runs in Chromium’s sandbox: seccomp filter, no new privileges, own user namespace', async ({
  rig,
}) => {
  const player = await rig.start();
  await player.shownPin();
  const pid = await rendererPid(player);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^Seccomp:\s+2$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  const main = player.app.process().pid as number;
  expect(await readlink(`/proc/${pid}/ns/user`)).not.toBe(await readlink(`/proc/${main}/ns/user`));
  for (const child of await processes(main)) {
    const words = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    expect(words).not.toContain('--no-sandbox');
  }
  await player.stop();
});

test('the window’s preferences are as hard as the design says', async ({ rig }) => {
  const player = await rig.start();
  await player.shownPin();
  const { preferences, throttled, devTools } = await player.app.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    if (window === undefined) throw new Error('there is no window');
    const contents = window.webContents as typeof window.webContents & {
      getLastWebPreferences(): Record<string, unknown>;
    };
    contents.openDevTools();
    return {
      preferences: contents.getLastWebPreferences(),
      throttled: contents.backgroundThrottling,
      devTools: contents.isDevToolsOpened(),
    };
  });
  expect(preferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
    webSecurity: true,
  });
  expect({ throttled, devTools }).toEqual({ throttled: false, devTools: false });
  await player.stop();
});

test('the page cannot reach the network, ask for permissions, open windows or navigate', async ({ rig }) => {
  const player = await rig.start();
  await player.shownPin();
  const before = rig.backend.requests.length;
  const { origin } = rig.backend;
  const reached = await player.page.evaluate(async (address) => {
    const tries = await Promise.allSettled([
      fetch(`${address}/`, { mode: 'no-cors' }),
      new Promise((resolve, reject) => {
        const image = new Image();
        image.onload = resolve;
        image.onerror = reject;
        image.src = `${address}/x.png`;
      }),
      fetch('file:///etc/hostname'),
    ]);
    const permission = await navigator.permissions.query({ name: 'geolocation' });
    const opened = window.open(address);
    location.href = address;
    return { tries: tries.map(({ status }) => status), permission: permission.state, opened: opened !== null };
  }, origin);
  expect(reached).toEqual({ tries: ['rejected', 'rejected', 'rejected'], permission: 'denied', opened: false });
  expect(await player.page.evaluate(() => location.href)).toBe('player://app/index.html');
  const strangers = rig.backend.requests
    .slice(before)
    .filter(({ path }) => !path.startsWith('/api/v2/screens/registrations'));
  expect(strangers).toEqual([]);
  await player.stop();
});

test('main’s own session cannot reach the network either, and no session that is made later', async ({ rig }) => {
  const player = await rig.start();
  await player.shownPin();
  const outcomes = await player.app.evaluate(async ({ session }, address) => {
    const sessions = [session.defaultSession, session.fromPartition('made-later')];
    return Promise.all(
      sessions.map((one) =>
        one.fetch(address).then(
          () => 'reached',
          () => 'denied',
        ),
      ),
    );
  }, rig.backend.origin);
  expect(outcomes).toEqual(['denied', 'denied']);
  await player.stop();
});

test('a frame that is not the page is not answered', async ({ rig }) => {
  const player = await rig.start();
  await player.shownPin();
  const answers = await player.app.evaluate(async ({ BrowserWindow, app }) => {
    const { join, dirname } = process.getBuiltinModule('node:path');
    const preload = join(
      dirname(
        app.getAppPath().endsWith('.cjs')
          ? app.getAppPath()
          : (process.argv.find((word) => word.endsWith('main.cjs')) ?? ''),
      ),
      'preload.cjs',
    );
    const stranger = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
    await stranger.loadURL('player://app/index.html');
    const answer = await stranger.webContents.executeJavaScript(
      'window.player.snapshot().then(() => "answered", (error) => String(error.message))',
    );
    stranger.destroy();
    return String(answer);
  });
  expect(answers).toContain('refused');
  expect(answers).not.toContain('sign-under-test');
  await player.stop();
});

for (const dangerous of [
  '--no-sandbox',
  '--remote-debugging-port=9333',
  '--remote-debugging-pipe',
  '--inspect=0',
  '--disable-web-security',
  '--ignore-certificate-errors',
  '--js-flags=--expose-gc',
  '--host-resolver-rules=MAP * 127.0.0.1',
])
  test(`the release build refuses ${dangerous.split('=')[0]} and exits with 78`, async ({ rig }) => {
    const file = await rig.writeSettings();
    const player = spawnPlayer('release', rig, ['--settings', file, dangerous]);
    expect(await player.exited).toBe(78);
    expect(player.stderr()).toContain(`SWITCH_REFUSED: refused: ${dangerous.split('=')[0]}`);
    expect(player.log).toEqual([]);
  });

test('the release build starts without them: the guard is what refused', async ({ rig }) => {
  const player = spawnPlayer('release', rig, ['--settings', await rig.writeSettings()]);
  await expect
    .poll(() => player.log.some(({ event }) => event === 'registration-pending'), { timeout: 20_000 })
    .toBe(true);
  player.child.kill('SIGTERM');
  expect(await player.exited).toBe(0);
});

test('settings that cannot be used are refused with file, key and reason', async ({ rig }) => {
  rig.settings = { server: { origin: 'http://insecure.example' } };
  const file = await rig.writeSettings();
  const player = spawnPlayer('release', rig, ['--settings', file]);
  expect(await player.exited).toBe(78);
  expect(player.stderr()).toContain(`${file}: server.origin: must be an https origin`);
});

test('a second player on the same state folder is refused', async ({ rig }) => {
  const first = await rig.start();
  await first.shownPin();
  const second = spawnPlayer('release', rig, ['--settings', await rig.writeSettings()]);
  expect(await second.exited).toBe(78);
  expect(second.stderr()).toContain('STATE_LOCKED');
  expect(await first.shownPin()).toHaveLength(6);
  await first.stop();
});

test('a page that crashes comes back to the picture', async ({ rig }) => {
  const player = await rig.startRegistered();
  const from = player.log.length;
  process.kill(await rendererPid(player), 'SIGKILL');
  await player.logged('page-recovery', { outcome: 'reload', reason: 'gone' }, from);
  await player.logged('item-shown', {}, from);
  await player.stop();
});

test('a page that hangs is found by its missing heartbeat, killed, and comes back', async ({ rig }) => {
  const player = await rig.startRegistered();
  const from = player.log.length;
  process.kill(await rendererPid(player), 'SIGSTOP');
  await player.logged('page-recovery', { outcome: 'kill', reason: 'silent' }, from);
  await player.logged('page-recovery', { outcome: 'reload', reason: 'gone' }, from);
  await player.logged('item-shown', {}, from);
  await player.stop();
});

/** Whether the outermost pixels of a display are painted by the page, whose colours are never pure black. */
function edgesArePainted(display: Display, width: number, height: number): boolean {
  const corners = [
    [0, 0],
    [width - 1, 0],
    [0, height - 1],
    [width - 1, height - 1],
  ] as const;
  return corners.every(([x, y]) => display.pixel(x, y).some((channel) => channel > 0));
}

async function fillsDisplay(rig: Rig): Promise<void> {
  expect(edgesArePainted(rig.display, 1280, 720)).toBe(false);
  const player = await rig.start();
  await player.shownPin();
  await expect.poll(() => edgesArePainted(rig.display, 1280, 720)).toBe(true);
  await player.stop();
}

test('the window fills the display where no window manager runs', async ({ rig }) => fillsDisplay(rig));

test('the window fills the display under a window manager', async ({ rig }) => {
  const manager = spawn('openbox', [], { env: rig.environment(), stdio: 'ignore' });
  try {
    await fillsDisplay(rig);
  } finally {
    manager.kill();
  }
});

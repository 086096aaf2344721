/**
 * A machine with a TPM, booted from an image into which nothing but Debian and our package was put: it registers, is
 * claimed and plays; its power is cut, and it plays from its disk while the server is down. `npm run test:boot` makes
 * the image and runs this in a network namespace of its own.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, startBackend } from '../backend/backend.ts';
import type { PlaylistContent } from '../backend/playlists.ts';
import { putFiles } from './disk.ts';
import { type Machine, startMachine } from './machine.ts';
import { colours, isAll, likeness, type Picture, shareOf } from './picture.ts';

const image = process.env['SIGNET_BOOT_IMAGE'] ?? '';
const out = process.env['SIGNET_BOOT_OUT'] ?? '';
const acceleration = process.env['SIGNET_BOOT_ACCELERATION'] ?? 'tcg';
const port = 8443;
/** A machine that is emulated by software, on a busy host, may take this long for anything. */
const patienceMs = 45 * 60_000;
const red = [255, 0, 0] as const;
const blue = [0, 0, 255] as const;
/** The letters of the PIN. */
const amber = [232, 185, 104] as const;

const folder = await mkdtemp(path.join(tmpdir(), 'signet-boot-'));
const disk = path.join(folder, 'disk.img');
const times: Record<string, number> = {};
let backend: Backend;
let machine: Machine;
let startedMs = 0;
let welcome: Picture;

async function boot(): Promise<void> {
  startedMs = performance.now();
  const [kernel, initrd] = [path.join(image, 'vmlinuz'), path.join(image, 'initrd')];
  machine = await startMachine({ folder, disk, kernel, initrd, acceleration });
}

/** Note how long after the machine's start something was so, and what it looked like. */
async function mark(name: string): Promise<void> {
  times[name] = Math.round((performance.now() - startedMs) / 100) / 10;
  await machine.photograph(path.join(out, `${name}.png`));
  process.stdout.write(`# ${name}: ${times[name]} s after the start\n`);
}

/** Its main process. */
const player = 'pgrep -u signet -o -f /opt/signet-player/signet-player';

/** Ask again until the answer is yes. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      await machine.photograph(path.join(out, 'given-up.png'));
      throw new Error(`${what}: not within ${patienceMs / 60_000} minutes\n${(await machine.serial()).slice(-2_000)}`);
    }
    await delay(1_000);
  }
}

const shows = (what: string, holds: (picture: Picture) => boolean) =>
  until(what, async () => holds(await machine.look()));

const inGuest = async (command: string) => (await machine.guest.run(command)).output.trim();

/** The player's log inside the machine. */
const logged = async (event: string) =>
  (await inGuest(`journalctl -b -u signet-player-kiosk -o cat --no-pager | grep -F '"event":"${event}"'`)) !== '';

/** Two plain pictures, which can be told by one glance at the display, around the welcome board. */
async function redWelcomeBlue(): Promise<PlaylistContent> {
  const sample = backend.samplePlaylist();
  const lobby = 'playlists' in sample ? sample.playlists[0] : undefined;
  assert.ok(lobby !== undefined);
  const plain = async (name: string, position: number) => {
    const { sha256, md5, sizeBytes: size } = backend.addMedia(name, await readFile(`test/fixtures/clips/${name}`));
    const asset_url = `${backend.origin}/media/${sha256}`;
    const asset = { id: `asset-${position}`, type: 'image', title: name, asset_url, sha256, md5, size, headers: {} };
    return { id: `item-${position}`, position, duration: 8, asset: { ...asset, status: 'finished' } };
  };
  const items = [await plain('red.png', 1), lobby.items[0], await plain('blue.png', 200_000)];
  return { playlists: [{ ...lobby, transitions: false, items }] };
}

async function openBackend(): Promise<Backend> {
  return startBackend({ stateDirectory: path.join(folder, 'server'), port, pollIntervalSeconds: 1 });
}

after(async () => {
  await machine?.cutPower().catch(() => undefined);
  await backend?.close().catch(() => undefined);
  await writeFile(path.join(out, 'times.json'), `${JSON.stringify({ acceleration, seconds: times }, null, 2)}\n`);
  await rm(folder, { recursive: true, force: true });
});

test('without a network the machine boots to a living kiosk that says so', async () => {
  await mkdir(out, { recursive: true });
  backend = await openBackend();
  await copyFile(path.join(image, 'disk.img'), disk);
  const authority = await readFile(backend.caFile, 'utf8');
  const settings = {
    server: { origin: backend.origin, caFile: '/etc/signet-player/device-ca.pem' },
    identity: { deviceCaFile: '/etc/signet-player/device-ca.pem', hostname: 'sign-in-a-machine' },
  };
  const units = '/etc/systemd/system';
  await putFiles(
    disk,
    {
      '/etc/signet-player/settings.json': JSON.stringify(settings),
      '/etc/signet-player/device-ca.pem': authority,
      // The server is reached by the name in its certificate; 10.0.2.2 is this host's loopback.
      [`${units}/server.socket`]: `[Socket]\nListenStream=127.0.0.1:${port}\n`,
      [`${units}/server.service`]: `[Service]\nExecStart=/usr/lib/systemd/systemd-socket-proxyd 10.0.2.2:${port}\n`,
      // A machine that is emulated by software is tens of times slower than one of silicon.
      [`${units}/signet-player-kiosk.service.d/emulated.conf`]:
        acceleration === 'kvm' ? '[Service]\n' : '[Service]\nTimeoutStartSec=infinity\nWatchdogSec=120\n',
    },
    { [`${units}/sockets.target.wants/server.socket`]: '../server.socket' },
  );
  await boot();
  await machine.plugNetwork(false);
  await machine.guest.ready(patienceMs);
  await until(
    'the kiosk is ready',
    async () => (await inGuest('systemctl is-active signet-player-kiosk')) === 'active',
  );
  await shows('a picture', (picture) => colours(picture) > 8);
  await mark('1-without-a-network');
  assert.equal(backend.requests.length, 0);
});

test('no shell, no login, no capability, and the renderer in its sandbox', async () => {
  assert.equal(await inGuest('pgrep -a getty || pgrep -ax login || echo none'), 'none');
  const status = await inGuest(`cat /proc/$(${player})/status`);
  assert.match(status, /^CapBnd:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  const renderer = await inGuest('cat /proc/$(pgrep -u signet -f -- --type=renderer | head -n1)/status');
  assert.match(renderer, /^Seccomp:\s+2$/m);
  const namespaces = await inGuest(
    `readlink /proc/$(${player})/ns/user /proc/$(pgrep -u signet -f -- --type=renderer | head -n1)/ns/user`,
  );
  assert.equal(new Set(namespaces.split('\n')).size, 2);
  assert.equal(await inGuest('cat /proc/sys/kernel/sysrq'), '0');
  // As it is installed; the emulated machine alone is given more time.
  const unit = await inGuest('cat /usr/lib/systemd/system/signet-player-kiosk.service');
  for (const line of ['Type=notify', 'WatchdogSec=30', 'Restart=always', 'StartLimitAction=reboot', 'User=signet'])
    assert.ok(unit.split('\n').includes(line), line);
  const security = await inGuest('systemd-analyze security signet-player-kiosk.service --no-pager');
  const exposure = /exposure level.*: ([\d.]+)/.exec(security)?.[1] ?? '';
  process.stdout.write(`# systemd-analyze security: ${exposure}\n`);
  await writeFile(path.join(out, 'security.txt'), `${security}\n`);
  assert.ok(Number(exposure) > 0 && Number(exposure) < 3, exposure);
});

test('no key ends the kiosk, shows a console or restarts the machine', async () => {
  const now = () => inGuest(`${player}; cat /sys/class/tty/tty0/active /proc/sys/kernel/random/boot_id`);
  const before = await now();
  for (const keys of [
    'ctrl alt delete',
    'ctrl alt f2',
    'alt f3',
    'alt sysrq b',
    'alt f4',
    'alt esc',
    'ctrl w',
    'ctrl q',
  ])
    await machine.press(...keys.split(' '));
  await delay(10_000);
  assert.equal(await now(), before);
  await shows('the kiosk', (picture) => colours(picture) > 8);
});

test('the network comes later: the machine registers, shows a PIN, is claimed, and plays', async () => {
  backend.setPlaylist(await redWelcomeBlue());
  await machine.plugNetwork(true);
  await until('a registration', () => backend.pending().length > 0);
  await shows('the PIN', (picture) => shareOf(picture, amber, 12) > 0.008);
  await mark('2-registration');
  backend.claim(backend.pending()[0]?.pin ?? '', 'Lobby');
  await shows('red', (picture) => isAll(picture, red));
  await mark('3-plays-red');
  await shows('blue', (picture) => isAll(picture, blue));
  await mark('4-plays-blue');
  await shows('the welcome board', (picture) => {
    welcome = picture;
    return colours(picture) > 20;
  });
  await mark('5-plays-the-welcome-board');
});

test('nobody sees a pointer', async () => {
  for (const at of [40, -20, 30]) await machine.movePointer(at, at);
  await shows('red, to the last pixel', (picture) => isAll(picture, red));
});

test('the key in use is in the TPM behind /dev/tpmrm0', async () => {
  const identity = JSON.parse(
    await inGuest(
      "setpriv --reuid signet --regid signet --init-groups signet-player identity --json 2>/dev/null | grep '^{'",
    ),
  );
  assert.equal(identity.tcti, 'device:/dev/tpmrm0');
  assert.equal(identity.keyProtection, 'tpm');
  assert.equal(identity.registration, 'registered');
  assert.equal(identity.certificate.verdict, 'ok');
  const open = await inGuest(`ls -l /proc/$(${player})/fd | grep -c /dev/tpmrm0`);
  assert.ok(Number(open) >= 1, 'the player has the TPM open');
  const blob = await inGuest('head -n1 /var/lib/signet-player/device-key.pem; ls /var/lib/signet-player');
  assert.match(blob, /^-----BEGIN TSS2 PRIVATE KEY-----/);
  assert.doesNotMatch(blob, /software/);
  assert.match(await inGuest('tpm2_getcap -T device:/dev/tpmrm0 properties-fixed'), /TPM2_PT_MANUFACTURER/);
  await writeFile(path.join(out, 'identity.json'), `${JSON.stringify(identity, null, 2)}\n`);
});

test('the doctor finds a whole machine', async () => {
  const report = JSON.parse(await inGuest("signet-player --doctor --json 2>/dev/null | grep '^{'"));
  await writeFile(path.join(out, 'doctor.json'), `${JSON.stringify(report, null, 2)}\n`);
  const faults = report.checks.filter(({ verdict }: { verdict: string }) => verdict === 'failed');
  assert.deepEqual(faults, []);
});

test('a player that stands still is ended by the watchdog, started again, and plays', async () => {
  const before = await inGuest(player);
  await inGuest(`kill -STOP ${before}`);
  await until('another player', async () => {
    const now = await inGuest(player);
    return now !== '' && now !== before;
  });
  assert.match(await inGuest('journalctl -b -u signet-player-kiosk --no-pager'), /Watchdog timeout/);
  await shows('red', (picture) => isAll(picture, red));
  await mark('6-red-after-the-watchdog');
});

test('after a power cut, with the server down, it plays from its disk', async () => {
  await machine.cutPower();
  await backend.close();
  await boot();
  await shows('red', (picture) => isAll(picture, red));
  await mark('7-red-after-the-power-cut');
  await shows('blue', (picture) => isAll(picture, blue));
  await shows('the welcome board as it was', (picture) => likeness(picture, welcome) > 0.98);
  await mark('8-the-welcome-board-after-the-power-cut');
  await machine.guest.ready(patienceMs);
  assert.equal(await logged('item-shown'), true);
  await writeFile(path.join(out, 'journal.txt'), await inGuest('journalctl -b -u signet-player-kiosk --no-pager'));
  await writeFile(
    path.join(out, 'boot.txt'),
    await inGuest('systemd-analyze; systemctl status signet-player-kiosk --no-pager'),
  );
});

test('a storm of restarts boots the machine anew, and then leads to the safe screen', async () => {
  // While it goes down and comes up nobody answers.
  const ask = (command: string) => inGuest(command).catch(() => '');
  const bootId = () => ask('cat /proc/sys/kernel/random/boot_id');
  const before = await bootId();
  const folder = '/etc/systemd/system/signet-player-kiosk.service.d';
  const broken = '[Service]\\nEnvironment=SIGNET_PLAYER=/bin/false\\nRestartSteps=0\\n';
  await inGuest(`printf '${broken}' > ${folder}/broken.conf; systemctl daemon-reload; systemctl reset-failed`);
  await inGuest('systemctl restart --no-block signet-player-kiosk');
  await until('another boot', async () => !['', before].includes(await bootId()));
  await until('the safe screen', async () =>
    (await ask('systemctl show -p StatusText signet-player-kiosk')).endsWith('safe screen after a restart storm'),
  );
  await shows('a text', (picture) => shareOf(picture, [0, 0, 0]) > 0.9 && colours(picture) > 1);
  await mark('9-the-safe-screen');
});

test('setup-kiosk --undo makes a server of it again', async () => {
  const { exitCode, output } = await machine.guest.run('signet-player setup-kiosk --undo --now --yes');
  assert.equal(exitCode, 0, output);
  const units = 'signet-player-kiosk.service getty@tty1.service ctrl-alt-del.target';
  const states = (await inGuest(`systemctl is-enabled ${units}`)).split('\n');
  assert.equal(states[0], 'disabled');
  assert.ok(!states.some((state) => state.startsWith('masked')), states.join(' '));
  assert.notEqual(await inGuest('systemctl is-active signet-player-kiosk'), 'active');
  assert.equal(await inGuest('find /etc -name "*signet-player.c*" -not -path "*/apparmor.d/*"'), '');
});

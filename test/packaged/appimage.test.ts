/** The AppImage in the home folder of an ordinary user, on a Debian 13 that has the libraries of a desktop and no TPM software. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, startBackend } from '../backend/backend.ts';
import { type DebianRoot, startDebianRoot, whyImpossible } from '../support/debian-root.ts';
import { sandboxes, startInstalled } from '../support/installed-player.ts';
import { beside, field, packageFile } from '../support/package-life.ts';
import { type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';
import { type Display, startDisplay } from '../ui/mocked/display.ts';

const skip = whyImpossible() ?? false;
const options = { skip, timeout: 600_000 };
const user = 'visitor';

let root: DebianRoot;
let home: string;
let appImage: string;
let display: Display;
let tpm: SoftwareTpm;
let backend: Backend;

const run = (words: readonly string[], env: Record<string, string> = {}) =>
  root.exec([appImage, ...words], { user, env: { HOME: home, DISPLAY: display.name, ...env } });
const start = (words: readonly string[] = []) =>
  startInstalled(root, [appImage, ...words, '--settings', join(home, 'settings.json')], {
    user,
    env: { HOME: home, DISPLAY: display.name },
  });

function writeSettings(change: Record<string, unknown> = {}): void {
  const settings = {
    server: { origin: backend.origin, caFile: join(home, 'ca.pem') },
    identity: { tcti: tpm.tcti, deviceCaFile: join(home, 'ca.pem'), hostname: 'sign-in-appimage' },
    state: { directory: join(home, 'state') },
    ...change,
  };
  writeFileSync(join(home, 'settings.json'), JSON.stringify(settings), { mode: 0o644 });
}

before(async () => {
  if (skip) return;
  const deb = packageFile('.deb');
  root = await startDebianRoot('trixie', `${await field(deb, 'Depends')}, ${beside}`);
  const format = '$' + '{Package}\\n';
  await root.must(['sh', '-c', `dpkg --purge --force-depends $(dpkg-query -W -f '${format}' 'libtss2*')`]);
  chmodSync(root.shared, 0o755);
  home = join(root.shared, 'home');
  mkdirSync(home);
  await root.must(['useradd', '--home-dir', home, user]);
  appImage = join(home, 'signet-player.AppImage');
  copyFileSync(packageFile('.AppImage'), appImage);
  display = await startDisplay(1280, 720);
  tpm = await startSwtpm({ folder: root.shared });
  for (const file of ['tpm.sock', 'tpm.sock.ctrl']) chmodSync(join(root.shared, file), 0o777);
  backend = await startBackend({ stateDirectory: join(root.shared, 'server'), pollIntervalSeconds: 0.2 });
  copyFileSync(backend.caFile, join(home, 'ca.pem'));
  chmodSync(join(home, 'ca.pem'), 0o644);
  writeSettings();
  await root.must(['chown', '-R', user, home]);
}, options);
after(async () => {
  if (skip) return;
  await backend?.close();
  await tpm?.stop();
  await display?.stop();
  await root?.stop();
});

test('without FUSE it says what to install and what to do without', options, async () => {
  const { code, output } = await run([]);
  assert.equal(code, 127);
  assert.match(output, /install fuse3, or start with --appimage-extract-and-run/);
});

test('names itself, as its file does, in --version and --doctor', options, async () => {
  const name = /^signet-player(-test)?(?=-\d)/.exec(basename(packageFile('.AppImage')))?.[0] ?? '';
  const version = await run(['--appimage-extract-and-run', '--version']);
  assert.equal(version.code, 0);
  assert.match(version.output, new RegExp(`^${name} \\d`, 'm'));
  assert.equal(/never for users/.test(version.output), name.endsWith('-test'));
  const settings = ['--settings', join(home, 'settings.json')];
  const doctor = await run(['--appimage-extract-and-run', '--doctor', '--json', ...settings]);
  const report = JSON.parse(doctor.output.split('\n').find((line) => line.startsWith('{')) ?? '{}');
  const program = report.checks.find(({ check }: { check: string }) => check === 'program');
  assert.equal(program.verdict, name.endsWith('-test') ? 'warning' : 'ok');
  assert.ok(program.finding.startsWith(`${name}, Electron `), program.finding);
});

test(
  'extracted, it registers with a TPM through its own libraries and plays, the renderer in the sandbox',
  options,
  async () => {
    const player = start(['--appimage-extract-and-run']);
    await player.logged('registration-pending');
    for (let tries = 0; backend.pending().length === 0 && tries < 300; tries++) await delay(100);
    backend.claim(backend.pending()[0]?.pin ?? '', 'Lobby');
    await player.logged('item-shown');
    const found = await sandboxes(root);
    assert.equal(found.get('renderer')?.seccomp, '2');
    assert.notEqual(found.get('renderer')?.userNamespace, found.get('main')?.userNamespace);
    const maps = await root.must(['sh', '-c', 'cat /proc/[0-9]*/maps 2> /dev/null | grep -o "/.*libtss2.*" | sort -u']);
    assert.match(maps, /libtss2-tcti-swtpm/);
    for (const line of maps.trim().split('\n')) assert.match(line, /signet-extracted.*\/usr\/lib\//);
    assert.equal(await player.stop(), 0);
    const left = await root.must(['sh', '-c', 'ls -d /tmp/signet-* 2> /dev/null || true']);
    assert.equal(left, '', 'the temporary folder is gone');
  },
);

test('refuses to start as root, who has no sandbox', options, async () => {
  const { code, output } = await root.exec([appImage, '--appimage-extract-and-run'], { env: { HOME: home } });
  assert.equal(code, 78);
  assert.match(output, /SANDBOX_UNAVAILABLE: started as root/);
});

test('refuses to start where user namespaces are forbidden, and names the remedy', options, async () => {
  // In a user namespace of its own, whose limit of further ones is 0.
  const forbid = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --reuid=1 --regid=1 --clear-groups "$@"';
  const words = ['unshare', '--user', '--map-users=0,0,65535', '--map-groups=0,0,65535', '--setuid=0', '--setgid=0'];
  const line = [...words, 'sh', '-c', forbid, 'sh', appImage, '--appimage-extract-and-run'];
  const { code, output } = await root.exec(line, { env: { HOME: '/tmp', DISPLAY: display.name } });
  assert.match(output, /SANDBOX_UNAVAILABLE: this system forbids user namespaces.*sysctl user.max_user_namespaces/s);
  assert.equal(code, 78);
});

/** `signet-player setup-kiosk --root DIR`, run for real on a folder that looks like a small Debian. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

const parts = resolve('build/kiosk/root/usr/lib/signet-player');

function debian(release: string, packages: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), 'signet-setup-'));
  const put = (place: string, text: string) => {
    mkdirSync(dirname(join(root, place)), { recursive: true });
    writeFileSync(join(root, place), text);
  };
  put('etc/os-release', `ID=debian\nVERSION_ID="${release}"\n`);
  const unit = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
  for (const name of [
    'signet-player-kiosk',
    'signet-player-xorg',
    'seatd',
    'getty@',
    'serial-getty@',
    'autovt@',
    'console-getty',
  ])
    put(`usr/lib/systemd/system/${name}.service`, unit);
  for (const name of ['ctrl-alt-del', 'multi-user', 'graphical'])
    put(`usr/lib/systemd/system/${name}.target`, '[Unit]\n');
  put('usr/lib/signet-player/xorg.conf', readFileSync(join(parts, 'xorg.conf'), 'utf8'));
  put('var/lib/dpkg/info/.keep', '');
  const status = (name: string) =>
    `Package: ${name}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n`;
  put('var/lib/dpkg/status', packages.map(status).join('\n'));
  const tree = () => (readdirSync(join(root, 'etc'), { recursive: true }) as string[]).sort().join('\n');
  const run = (...words: string[]) => {
    const {
      status: exitCode,
      stdout,
      stderr,
    } = spawnSync('/bin/sh', [join(parts, 'setup-kiosk'), '--root', root, ...words], {
      encoding: 'utf8',
    });
    return { exitCode, stdout, stderr };
  };
  return { root, at: (place: string) => join(root, place), put, tree, run };
}

const cage = ['cage', 'seatd'];

test('--dry-run explains each step and changes nothing', () => {
  const system = debian('13', cage);
  const before = system.tree();
  const { exitCode, stdout } = system.run('--dry-run');
  assert.equal(exitCode, 0);
  for (const words of [/login prompts/, /Ctrl-Alt-Del/, /seatd/, /at boot/, /Nothing was changed/])
    assert.match(stdout, words);
  assert.equal(system.tree(), before);
});

test('a Debian 13 becomes a kiosk, a second time changes nothing, and --undo leaves it as it was', () => {
  const system = debian('13', cage);
  const before = system.tree();
  assert.equal(system.run('--yes').exitCode, 0);
  const units = 'etc/systemd/system';
  for (const name of [
    'getty@.service',
    'getty@tty1.service',
    'serial-getty@.service',
    'autovt@.service',
    'ctrl-alt-del.target',
  ])
    assert.equal(readlinkSync(system.at(`${units}/${name}`)), '/dev/null', name);
  for (const name of ['signet-player-kiosk', 'seatd'])
    assert.ok(readdirSync(system.at(`${units}/multi-user.target.wants`)).includes(`${name}.service`));
  assert.match(readFileSync(system.at('etc/systemd/logind.conf.d/signet-player.conf'), 'utf8'), /NAutoVTs=0/);
  assert.match(readFileSync(system.at('etc/sysctl.d/60-signet-player.conf'), 'utf8'), /kernel\.sysrq = 0/);
  const after = system.tree();
  const record = readFileSync(system.at('etc/signet-player/kiosk-setup'), 'utf8');
  assert.equal(system.run('--yes').exitCode, 0);
  assert.equal(system.tree(), after);
  assert.equal(readFileSync(system.at('etc/signet-player/kiosk-setup'), 'utf8'), record);
  assert.equal(system.run('--undo', '--yes').exitCode, 0);
  const left = system
    .tree()
    .split('\n')
    .filter((place) => !existsSync(system.at(`etc/${place}/.`)));
  assert.deepEqual(
    left,
    before.split('\n').filter((place) => !existsSync(system.at(`etc/${place}/.`))),
  );
});

test('--undo leaves alone what was so before', () => {
  const system = debian('13', cage);
  mkdirSync(system.at('etc/systemd/system'), { recursive: true });
  spawnSync('systemctl', [`--root=${system.root}`, 'mask', 'serial-getty@.service']);
  system.run('--yes');
  system.run('--undo', '--yes');
  assert.equal(readlinkSync(system.at('etc/systemd/system/serial-getty@.service')), '/dev/null');
});

test('a Debian 12 gets an X server instead, because of its cage', () => {
  const drawing = ['xserver-xorg-core', 'xserver-xorg-input-libinput', 'xauth', 'openbox'];
  const system = debian('12', [...drawing, 'x11-utils', 'xfonts-100dpi']);
  assert.equal(system.run('--yes').exitCode, 0);
  assert.ok(
    readdirSync(system.at('etc/systemd/system/multi-user.target.wants')).includes('signet-player-xorg.service'),
  );
  assert.match(readFileSync(system.at('etc/X11/signet-player.conf'), 'utf8'), /DontVTSwitch/);
});

const refusals: readonly (readonly [
  string,
  (system: ReturnType<typeof debian>) => void,
  readonly string[],
  number,
  RegExp,
])[] = [
  [
    'an image that lacks the compositor',
    (s) => s.put('var/lib/dpkg/status', ''),
    ['--yes'],
    78,
    /the image lacks cage seatd/,
  ],
  [
    'a system with a login screen',
    (s) => s.put('etc/systemd/system/display-manager.service', ''),
    ['--yes'],
    78,
    /login screen/,
  ],
  [
    'a file of somebody else',
    (s) => s.put('etc/sysctl.d/60-signet-player.conf', 'x\n'),
    ['--yes'],
    78,
    /not of this program/,
  ],
  ['to undo what was never done', () => undefined, ['--undo', '--yes'], 1, /nothing to undo/],
  ['to change anything with nobody to ask', () => undefined, [], 64, /--yes/],
  ['a word that it does not know', () => undefined, ['--frobnicate'], 64, /--help/],
];

for (const [what, prepare, words, code, reason] of refusals)
  test(`refuses ${what}`, () => {
    const system = debian('13', cage);
    prepare(system);
    const { exitCode, stdout, stderr } = system.run(...words);
    assert.equal(exitCode, code);
    assert.match(stdout + stderr, reason);
  });

test('reads the image’s os-release and runs nothing of it', () => {
  const system = debian('13', cage);
  system.put('etc/os-release', `ID=debian\nVERSION_ID="13"\ntouch '${system.at('etc/owned')}'\n`);
  const { exitCode, stdout } = system.run('--dry-run');
  assert.equal(exitCode, 0);
  assert.match(stdout, /seatd/);
  assert.equal(existsSync(system.at('etc/owned')), false);
});

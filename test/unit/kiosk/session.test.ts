/** The script that counts restarts: run for real, with a clock, a boot and a console of the test's. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const script = resolve('build/kiosk/root/usr/lib/signet-player/kiosk-session');

/** A machine on which the kiosk starts again and again. */
function machine() {
  const folder = mkdtempSync(join(tmpdir(), 'signet-kiosk-'));
  const at = (name: string) => join(folder, name);
  const program = (name: string, text: string) => {
    writeFileSync(at(name), `#!/bin/sh\n${text}\n`);
    chmodSync(at(name), 0o755);
  };
  program(
    'cage',
    'if [ "$1" = -v ]; then echo "Cage version $CAGE"; else env > "$SEEN/env"; echo "$*" > "$SEEN/args"; fi',
  );
  program('systemd-notify', 'echo "$*" >> "$SEEN/notified"');
  // Whoever waits for a display sees it plugged in a while later.
  program('sleep', 'for status in "$SEEN"/drm/card*-*/status; do echo connected > "$status"; done');
  for (const name of ['drm/card0/device', 'drm/card0-HDMI-A-1']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('drm/card0-HDMI-A-1/status'), 'connected\n');
  let bootId = 'a';
  return {
    at,
    /** Boot anew. */
    boot(id: string) {
      bootId = id;
    },
    /** One start, `uptime` seconds after the boot. */
    start(uptime: number, cage = '0.2.0') {
      for (const name of ['env', 'args', 'notified', 'console']) rmSync(at(name), { force: true });
      writeFileSync(at('boot'), `${bootId}\n`);
      writeFileSync(at('uptime'), `${uptime}.25 100.00\n`);
      const env = {
        PATH: `${folder}:/usr/bin:/bin`,
        CAGE: cage,
        SEEN: folder,
        STATE_DIRECTORY: folder,
        RUNTIME_DIRECTORY: at('run'),
        SIGNET_KIOSK_BOOT_ID: at('boot'),
        SIGNET_KIOSK_UPTIME: at('uptime'),
        SIGNET_KIOSK_GRAPHICS: at('drm'),
        SIGNET_KIOSK_TERMINAL: at('console'),
        SIGNET_KIOSK_X_COOKIE: at('cookie'),
        SIGNET_KIOSK_HOLD: '30',
        DISPLAY: ':9',
      };
      let exitCode = 0;
      try {
        execFileSync('/bin/sh', [script], { env, stdio: 'ignore' });
      } catch (thrown) {
        exitCode = (thrown as { status: number }).status;
      }
      const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');
      return {
        exitCode,
        args: read('args').trim(),
        env: read('env'),
        console: read('console'),
        notified: read('notified'),
      };
    },
    /** `count` starts, each two seconds after the one before. @returns how many reached the compositor */
    storm(count: number, from = 10) {
      let reached = 0;
      for (let start = 0; start < count; start++) if (this.start(from + 2 * start).args !== '') reached++;
      return reached;
    },
  };
}

test('starts the player under cage, with what wlroots needs and no display of somebody else', () => {
  const { args, env } = machine().start(10);
  assert.equal(args, '-d -m last -- /usr/bin/signet-player --ozone-platform=wayland');
  for (const line of ['WLR_LIBINPUT_NO_DEVICES=1', 'LIBSEAT_BACKEND=seatd'])
    assert.match(env, new RegExp(`^${line}$`, 'm'));
  assert.doesNotMatch(env, /^DISPLAY=/m);
});

for (const [driver, isCareful] of [
  ['i915', true],
  ['xe', true],
  ['bochs-drm', false],
  ['simple-framebuffer', false],
] as const)
  test(`${isCareful ? 'without' : 'with'} atomic commits on ${driver}`, () => {
    const sign = machine();
    symlinkSync(`../../../bus/drivers/${driver}`, sign.at('drm/card0/device/driver'));
    const { env } = sign.start(10);
    for (const line of [/^WLR_DRM_NO_ATOMIC=1$/m, /^WLR_DRM_NO_MODIFIERS=1$/m])
      if (isCareful) assert.match(env, line);
      else assert.doesNotMatch(env, line);
  });

test('where the television is off or not plugged in, the player waits for it and is no failure', () => {
  const sign = machine();
  writeFileSync(sign.at('drm/card0-HDMI-A-1/status'), 'disconnected\n');
  const { args, notified } = sign.start(10);
  assert.match(notified, /--status=no display is connected\nEXTEND_TIMEOUT_USEC=\d+\n$/);
  assert.notEqual(args, '', 'started once it was plugged in');
});

test('refuses cage 0.1, which ends with the television, and names the remedy by its exit code', () => {
  const { args, exitCode } = machine().start(10, '0.1.4');
  assert.deepEqual([args, exitCode], ['', 78]);
});

test('keeps trying through the storm that the machine boots anew for', () => {
  assert.equal(machine().storm(20), 20);
});

test('after that boot it tries five times more, and then a text takes the screen for a while', () => {
  const sign = machine();
  sign.storm(16);
  sign.boot('b');
  assert.equal(sign.storm(5), 5);
  const { args, console, notified, exitCode } = sign.start(22);
  assert.deepEqual([args, exitCode], ['', 0]);
  assert.match(console, /This screen is being looked after\./);
  assert.match(notified, /--ready/);
  assert.equal(notified.match(/WATCHDOG=1/g)?.length, 3);
});

test('where the X server has the console, a client of it shows that text, as soon as the server is up', () => {
  const sign = machine();
  sign.storm(16);
  sign.boot('b');
  sign.storm(5);
  writeFileSync(sign.at('cookie'), '');
  const fake = `echo "$DISPLAY $XAUTHORITY $*" >> "$SEEN/shown"; [ "$(grep -c looked "$SEEN/shown")" = 2 ]`;
  writeFileSync(sign.at('xmessage'), `#!/bin/sh\n${fake}\n`);
  chmodSync(sign.at('xmessage'), 0o755);
  const { console, notified, exitCode } = sign.start(22);
  assert.deepEqual([console, exitCode], ['', 0]);
  assert.match(notified, /--ready/);
  // It is a process beside the one that has ended.
  const shown = () => (existsSync(sign.at('shown')) ? readFileSync(sign.at('shown'), 'utf8') : '');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let look = 0; look < 1_000 && shown().match(/looked after/g)?.length !== 2; look++)
    Atomics.wait(pause, 0, 0, 10);
  assert.equal(shown().match(/^:0 .*cookie .*-buttons/gm)?.length, 2);
  assert.equal(shown().match(/This screen is being looked after\./g)?.length, 2);
});

test('the safe screen is no sign of health: five tries more, and it is there again', () => {
  const sign = machine();
  sign.storm(16);
  sign.boot('b');
  sign.storm(6);
  assert.equal(sign.storm(6, 1_000), 5);
});

test('a player that lived is a sign of health: the next storm boots the machine again', () => {
  const sign = machine();
  sign.storm(16);
  sign.boot('b');
  sign.storm(3);
  assert.equal(sign.storm(20, 500), 20);
});

test('a boot for another reason is no storm', () => {
  const sign = machine();
  sign.storm(3);
  sign.boot('b');
  assert.equal(sign.storm(20), 20);
});

for (const text of [
  '',
  'a',
  'a x y z',
  'a 9999999999999999999999 1 1',
  '$(reboot) ; 1',
  'a 99 5',
  'a 08 1 0',
  'a 1 09 0',
])
  test(`starts whatever the file of starts holds: ${JSON.stringify(text)}`, () => {
    const sign = machine();
    writeFileSync(sign.at('kiosk-starts'), text);
    assert.notEqual(sign.start(10).args, '');
  });

/** The life of the .deb on one release: installed, run, upgraded, removed, purged. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, startBackend } from '../backend/backend.ts';
import { type Display, startDisplay } from '../ui/mocked/display.ts';
import { type Codename, type DebianRoot, runToEnd, startDebianRoot, whyImpossible } from './debian-root.ts';
import { sandboxes, startInstalled } from './installed-player.ts';
import { type SoftwareTpm, startSwtpm } from './swtpm.ts';

export const packages = resolve('.runtime/packaged/out');

/** The one file of `npm run dist` with this ending. */
export function packageFile(ending: string): string {
  const found = readdirSync(packages).filter((name) => name.endsWith(ending));
  assert.equal(found.length, 1, `one ${ending} in ${packages}`);
  return join(packages, found[0] ?? '');
}

/** A field of the package. */
export async function field(deb: string, name: string): Promise<string> {
  return (await runToEnd(['dpkg-deb', '--field', deb, name])).output.trim();
}

/** What the tests need beside what the package depends on: the connection to a software TPM. */
export const beside = 'libtss2-tcti-swtpm0 | libtss2-tcti-swtpm0t64';

/** The same package under another version: the payload stays, nothing is compressed. */
export async function withVersion(deb: string, version: string, folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  const target = join(folder, basename(deb).replace(/_[^_]*_/, `_${version}_`));
  const steps = [
    `dpkg-deb --raw-extract '${deb}' '${tree}'`,
    `sed -i 's/^Version: .*/Version: ${version}/' '${tree}/DEBIAN/control'`,
    `dpkg-deb --root-owner-group -Znone --build '${tree}' '${target}'`,
    `rm -rf '${tree}'`,
  ];
  const { code, output } = await runToEnd(['sh', '-ec', steps.join('\n')]);
  assert.equal(code, 0, output);
  return target;
}

/** Every path of the disk that no later start makes again by itself. */
const listing =
  'find / -xdev -path /tmp -prune -o -path /run -prune -o -path /var/log -prune -o -path "/var/cache/*" -prune -o -print';

/** What may be there after a purge and was not before: system users (Debian policy 9.2.2), and a folder of the FHS. */
const mayStay =
  /^\/(opt|etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?|var\/lib\/(dpkg|apt)\/.*|var\/tmp\/.*|etc\/\.pwd\.lock)$/;

/** Resolves once a picture stands on the display: more than the colour of the empty stage. */
async function showsPicture(display: Display): Promise<void> {
  const stage = [10, 13, 20];
  const places = Array.from({ length: 144 }, (_, at) => [40 + (at % 16) * 78, 30 + Math.floor(at / 16) * 78] as const);
  for (let tries = 0; tries < 300; tries++) {
    const colours = places.map(([x, y]) => display.pixel(x, y));
    const lit = colours.filter((colour) => colour.some((value, at) => Math.abs(value - (stage[at] ?? 0)) > 24));
    if (lit.length > 48 && new Set(lit.map(String)).size > 8) return;
    await delay(200);
  }
  assert.fail('no picture on the display within a minute');
}

/** A service manager's socket (sd_notify(3)), which the root sees too. */
async function listenAsManager(socket: string): Promise<{ socket: string; heard(): string; close(): void }> {
  let text = '';
  const child = spawn('socat', ['-u', `UNIX-RECV:${socket},mode=0666`, '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  while (!existsSync(socket)) await delay(20);
  return { socket, heard: () => text, close: () => void child.kill() };
}

export function describePackageLife(codename: Codename): void {
  describe(codename, () => liveThrough(codename));
}

function liveThrough(codename: Codename): void {
  const skip = whyImpossible() ?? false;
  const options = { skip, timeout: 900_000 };
  let root: DebianRoot;
  let display: Display;
  let tpm: SoftwareTpm;
  let backend: Backend;
  let deb: string;
  let pristine: ReadonlySet<string>;
  let name: string;
  /** Of this root alone: the lock on a state folder bears its path, in the network's namespace, which roots share. */
  let state: string;

  const paths = async () => new Set((await root.must(['sh', '-c', listing])).trim().split('\n'));
  const settings = '/etc/signet-player/settings.json';
  const start = (env: Readonly<Record<string, string>> = {}) =>
    startInstalled(root, ['signet-player'], { user: 'signet', env: { DISPLAY: display.name, ...env } });
  const install = async (file: string) => {
    const copy = join(root.shared, basename(file));
    if (copy !== file) copyFileSync(file, copy);
    const said = await root.must(['apt-get', 'install', '-y', '-q', '--no-install-recommends', copy]);
    assert.match(said, /^(0 upgraded, 1 newly installed|1 upgraded, 0 newly installed), 0 to remove/m);
  };

  before(async () => {
    if (skip) return;
    deb = packageFile('.deb');
    name = await field(deb, 'Package');
    root = await startDebianRoot(codename, `${await field(deb, 'Depends')}, ${beside}`);
    state = `/var/lib/signet-player/${basename(root.shared)}`;
    pristine = await paths();
    display = await startDisplay(1280, 720);
    chmodSync(root.shared, 0o755);
    tpm = await startSwtpm({ folder: root.shared });
    for (const file of ['tpm.sock', 'tpm.sock.ctrl']) chmodSync(join(root.shared, file), 0o777);
    backend = await startBackend({ stateDirectory: join(root.shared, 'server'), pollIntervalSeconds: 0.2 });
  }, options);
  after(async () => {
    if (skip) return;
    await backend?.close();
    await tpm?.stop();
    await display?.stop();
    await root?.stop();
  });

  test(`${codename}: installs with what it depends on and nothing else`, options, async () => {
    await install(deb);
    assert.match(await root.must(['id', 'signet']), /uid=.*groups=.*\(tss\)/);
    assert.match(await root.must(['stat', '-c', '%a %U', '/var/lib/signet-player']), /^700 signet/);
    const missing = await root.must([
      'sh',
      '-c',
      'ldd /opt/signet-player/signet-player $(find /opt -name "*.node" -o -name "*.so*") | grep "not found" || true',
    ]);
    assert.equal(missing, '');
    const special = await root.must(['find', '/opt/signet-player', '/usr/bin/signet-player', '-perm', '/7000']);
    assert.equal(special, '', 'no SUID helper');
  });

  test(
    `${codename}: the installed player registers with its TPM and plays, its renderer in the sandbox`,
    options,
    async () => {
      copyFileSync(backend.caFile, join(root.shared, 'ca.pem'));
      const identity = { tcti: tpm.tcti, deviceCaFile: '/etc/signet-player/device-ca.pem', hostname: 'sign-installed' };
      const server = { origin: backend.origin, caFile: '/etc/signet-player/device-ca.pem' };
      const own = { server, identity, state: { directory: state } };
      writeFileSync(join(root.shared, 'settings.json'), JSON.stringify(own));
      await root.must(['install', '-m', '644', join(root.shared, 'ca.pem'), '/etc/signet-player/device-ca.pem']);
      await root.must(['install', '-m', '644', join(root.shared, 'settings.json'), settings]);
      const manager = await listenAsManager(join(root.shared, 'notify.sock'));
      const player = start({ NOTIFY_SOCKET: manager.socket });
      await player.logged('registration-pending');
      for (let tries = 0; backend.pending().length === 0 && tries < 300; tries++) await delay(100);
      backend.claim(backend.pending()[0]?.pin ?? '', 'Lobby');
      await player.logged('item-shown');
      const found = await sandboxes(root);
      const [main, renderer] = [found.get('main'), found.get('renderer')];
      assert.equal(renderer?.seccomp, '2', 'seccomp filters');
      assert.equal(renderer?.noNewPrivileges, '1');
      assert.notEqual(renderer?.userNamespace, main?.userNamespace, 'a user namespace of its own');
      await showsPicture(display);
      assert.match(manager.heard(), /READY=1/, 'a service manager was told');
      assert.equal(await player.stop(), 0);
      manager.close();
    },
  );

  test(`${codename}: an upgrade keeps settings and state, and the screen is still registered`, options, async () => {
    const before = await root.must(['sha256sum', settings, join(state, 'device-key.pem')]);
    await install(await withVersion(deb, '9.9.9', root.shared));
    assert.match(await root.must(['dpkg-query', '-W', name]), /9\.9\.9/);
    assert.equal(await root.must(['sha256sum', settings, join(state, 'device-key.pem')]), before);
    const player = start();
    await player.logged('item-shown');
    assert.ok(!player.said.some((line) => line.includes('registration-pending')));
    assert.equal(await player.stop(), 0);
  });

  test(`${codename}: a removal takes the program and leaves settings and state`, options, async () => {
    await root.must(['apt-get', 'remove', '-y', '-q', name]);
    const left = await root.must(['sh', '-c', 'ls -d /opt/signet-player /usr/bin/signet-player 2> /dev/null || true']);
    assert.equal(left, '');
    await root.must(['test', '-s', settings, '-a', '-d', join(state, 'store')]);
  });

  test(`${codename}: a purge leaves nothing but the system user`, options, async () => {
    // What the administrator put there is theirs to remove.
    await root.must(['rm', '/etc/signet-player/device-ca.pem']);
    await root.must(['apt-get', 'purge', '-y', '-q', name]);
    const left = [...(await paths())].filter((path) => !pristine.has(path) && !mayStay.test(path));
    const shared = left.filter((path) => !path.startsWith(root.shared));
    assert.deepEqual(shared, []);
    // dpkg takes an empty /opt along.
    const gone = [...pristine].filter((path) => path !== '/opt' && !path.startsWith('/var/tmp'));
    const now = await paths();
    assert.deepEqual(
      gone.filter((path) => !now.has(path)),
      [],
    );
  });
}

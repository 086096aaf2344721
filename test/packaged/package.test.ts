/** What is inside the packages: fuses, what a test build may differ in, documents, and lintian's word. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runToEnd } from '../support/debian-root.ts';
import { field, packageFile, packages } from '../support/package-life.ts';

const options = { timeout: 600_000 };
const folder = mkdtempSync(join(tmpdir(), 'signet-package-'));
const player = join(folder, 'deb/opt/signet-player');
const testBuild = join(packages, 'test-build');
const asar = resolve('node_modules/@electron/asar/bin/asar.js');
let deb: string;

const must = async (...words: string[]) => {
  const { code, output } = await runToEnd(words);
  assert.equal(code, 0, output.slice(-4000));
  return output;
};
const fuses = () => import(pathToFileURL(resolve('build/package/fuses.mjs')).href);

before(async () => {
  deb = packageFile('.deb');
  await must('dpkg-deb', '--extract', deb, join(folder, 'deb'));
}, options);
after(() => rmSync(folder, { recursive: true, force: true }));

test('the fuses of the packaged player are the ones that are written out', options, async () => {
  const { fusesOf, fuseOrder, readFuseWire } = await fuses();
  const { states } = readFuseWire(readFileSync(join(player, 'signet-player')));
  const wanted = fusesOf('release');
  for (const [at, name] of fuseOrder.entries()) assert.equal(states[at], wanted[name] ? '1' : '0', name);
  assert.equal(fuseOrder.length, Object.keys(wanted).length);
  const shut = ['runAsNode', 'enableNodeOptionsEnvironmentVariable', 'enableNodeCliInspectArguments'];
  for (const name of shut) assert.equal(wanted[name], false, name);
});

test('the player is not Node: ELECTRON_RUN_AS_NODE has no effect', options, async () => {
  const words = [join(player, 'signet-player'), '-e', 'console.log("is node")'];
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1', DISPLAY: '' };
  const { output } = await runToEnd(['timeout', '30', ...words], env);
  assert.doesNotMatch(output, /^is node$/m);
});

test(
  'a test build differs from the release in one fuse and in the gate of the debugging switches alone',
  options,
  async () => {
    const { readFuseWire } = await fuses();
    const names = (root: string) => (readdirSync(root, { recursive: true }) as string[]).sort();
    const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
    const isFile = (name: string) =>
      readdirSync(testBuild, { recursive: true, withFileTypes: true }).some(
        (entry) => entry.isFile() && join(entry.parentPath, entry.name) === join(testBuild, name),
      );
    const release = names(player).filter((name) => name !== 'resources/apparmor-profile');
    assert.deepEqual(names(testBuild), release);
    const different = release
      .filter(isFile)
      .filter((name) => digest(join(player, name)) !== digest(join(testBuild, name)));
    assert.deepEqual(different, ['resources/app.asar', 'signet-player']);

    const [one, other] = [readFileSync(join(player, 'signet-player')), readFileSync(join(testBuild, 'signet-player'))];
    const { offset } = readFuseWire(one);
    other[offset + 3] = one[offset + 3] ?? 0;
    assert.ok(one.equals(other), 'nothing of the executable but the fuse nodeCliInspect');

    for (const [from, to] of [
      [player, 'release'],
      [testBuild, 'test'],
    ] as const)
      await must(process.execPath, asar, 'extract', join(from, 'resources/app.asar'), join(folder, to));
    const inside = names(join(folder, 'release'));
    assert.deepEqual(names(join(folder, 'test')), inside);
    const read = (kind: string, name: string) => readFileSync(join(folder, kind, name), 'utf8');
    const changed = inside.filter(
      (name) => /\.(cjs|js|json|html|css)$/.test(name) && read('release', name) !== read('test', name),
    );
    assert.deepEqual(changed, ['main.cjs', 'package.json']);
    assert.equal(
      read('test', 'package.json').replace('"kind": "test"', '"kind": "release"'),
      read('release', 'package.json'),
    );
    // The two places that ask which build this is: the switches, and the command line that must not take them for commands.
    const gates = /\b(refusedSwitches|readCommand)\((\w+),!0\)/g;
    const opened = read('test', 'main.cjs');
    assert.equal([...opened.matchAll(gates)].length, 2);
    // Not assert.equal: the files have a megabyte, which nobody wants to read.
    assert.ok(
      opened.replace(gates, '$1($2,!1)') === read('release', 'main.cjs'),
      'main.cjs differs in the gates alone',
    );
  },
);

test('every way to the addon leads to the one inside the package', options, async () => {
  await must(process.execPath, asar, 'extract', join(player, 'resources/app.asar'), join(folder, 'ways'));
  for (const name of ['main.cjs', 'commands.cjs', 'updates.cjs']) {
    const text = readFileSync(join(folder, 'ways', name), 'utf8');
    assert.doesNotMatch(text, /["']node-tss["']/, name);
    assert.match(text, /require\("\.\/node-tss\/dist\/index\.cjs"\)/, name);
  }
});

test('says what runtime is inside, and is called a test package unless it is the official one', options, async () => {
  const own = JSON.parse(readFileSync(join(folder, 'release/package.json'), 'utf8'));
  assert.match(own.signet.runtime, /^(official|closed-network) /);
  assert.equal(own.signet.forUsers, own.signet.runtime.startsWith('official '));
  assert.equal(await field(deb, 'Package'), own.signet.forUsers ? 'signet-player' : 'signet-player-test');
});

test('a release is refused with the runtime of a closed network', options, async () => {
  const own = JSON.parse(readFileSync(join(folder, 'release/package.json'), 'utf8'));
  if (own.signet.forUsers) return;
  const env = { ...process.env, SIGNET_DEBIAN_PACKAGES: 'skip' };
  const { code, output } = await runToEnd([process.execPath, 'build/dist.mjs', '--release', '--out', folder], env);
  assert.equal(code, 1);
  assert.match(output, /FAILED: a release cannot be made with this Electron: closed-network[\s\S]*REMEDY: /);
});

test('carries copyright, licences, man page and a bill of materials with what is linked in', options, async () => {
  const doc = join(folder, 'deb/usr/share/doc', await field(deb, 'Package'));
  const bill = JSON.parse(readFileSync(join(doc, 'sbom.cdx.json'), 'utf8'));
  const names = bill.components.map(({ name }: { name: string }) => name);
  for (const name of ['electron', 'chromium', 'node', 'openssl', 'undici', 'zod', 'react'])
    assert.ok(names.includes(name), name);
  assert.ok(bill.components.every(({ version }: { version: string }) => version !== ''));
  assert.match(readFileSync(join(doc, 'copyright'), 'utf8'), /^Format: .*copyright-format\/1\.0/);
  assert.ok(readFileSync(join(player, 'LICENSES.chromium.html')).length > 1_000_000);
  await must('gzip', '-t', join(folder, 'deb/usr/share/man/man1/signet-player.1.gz'));
});

test('lintian finds no error that was not reviewed', options, async () => {
  const { code, output } = await runToEnd(['lintian', '--no-cfg', '--allow-root', '--fail-on', 'error', deb]);
  assert.equal(code, 0, output);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEdition, packageName, versionText } from '../../../electron/command/edition.ts';

const versions = { player: '1.2.3', electron: '45.4.1', chrome: '150.0', openssl: '3.0.19' };
const release = { commit: 'abc', runtime: 'official 45.4.1', forUsers: true, kind: 'release' } as const;

test('a release says its version and nothing else', () => {
  assert.equal(
    versionText(release, versions),
    'signet-player 1.2.3 of abc\nElectron 45.4.1 (official 45.4.1), Chromium 150.0, OpenSSL 3.0.19\n',
  );
  assert.deepEqual(checkEdition(release, '45.4.1').verdict, 'ok');
});

for (const [what, edition] of [
  ['the closed-network Electron', { ...release, forUsers: false, runtime: 'closed-network 33.4.11' }],
  ['the debugging switches let in', { ...release, kind: 'test' }],
] as const)
  test(`a package with ${what} calls itself a test package in --version and --doctor`, () => {
    assert.equal(packageName(edition), 'signet-player-test');
    assert.match(versionText(edition, versions), /^signet-player-test 1\.2\.3 [\s\S]*never for users\.\n$/);
    const { verdict, finding, remedy } = checkEdition(edition, '45.4.1');
    assert.deepEqual([verdict, remedy], ['warning', 'install a release package']);
    assert.match(finding, /test package/);
  });

test('a checkout is neither', () => {
  const edition = { commit: 'a checkout', runtime: 'official 45.4.1' };
  assert.equal(packageName(edition), 'signet-player');
  assert.match(checkEdition(edition, '45.4.1').finding, /in a checkout/);
});

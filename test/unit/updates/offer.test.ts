import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { judgeOffer, type Offer } from '../../../electron/updates/offer.ts';
import { lookOnce, type RoundPorts } from '../../../electron/updates/round.ts';
import { isSigned, readUpdateKey, statement } from '../../../electron/updates/statement.ts';
import { buildModule } from '../bootstrap/build-module.ts';

const sha512 = `${'A'.repeat(86)}==`;
const own = { packageName: 'signet-player', arch: 'x64' };
const file = 'signet-player-0.2.0-x86_64.AppImage';
const feed = (change: object = {}) => ({ version: '0.2.0', files: [{ url: file, sha512, size: 1_000, ...change }] });
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
const release = { ...own, version: '0.2.0', sizeBytes: 1_000, sha512 };
const signed = (of = release, key = privateKey) =>
  `${sign(null, Buffer.from(statement(of)), key).toString('base64')}\n`;

test('refuses a feed that names no file, two, another place, or sizes and digests that are none', () => {
  const judge = (info: unknown) => judgeOffer(info, true, { ...own, refused: new Set() });
  const hostile: unknown[] = [
    undefined,
    null,
    {},
    { version: 3, files: [] },
    { version: '0.2.0', files: [] },
    { version: '0.2.0', files: 'x' },
    { version: '0.2.0\nsignet-player', files: feed().files },
    { version: '../0.2.0', files: feed().files },
    { version: '0.2.0', files: [...feed().files, ...feed().files] },
    feed({ url: 'https://elsewhere.example/x.AppImage' }),
    feed({ url: '../x.AppImage' }),
    feed({ url: '/x.AppImage' }),
    feed({ url: '%2e%2e/x.AppImage' }),
    feed({ url: '-x.AppImage' }),
    feed({ url: 'x.deb' }),
    feed({ url: 7 }),
    feed({ sha512: sha512.slice(4) }),
    feed({ sha512: undefined }),
    feed({ size: 0 }),
    feed({ size: 1.5 }),
    feed({ size: 2 ** 31 }),
    feed({ size: '1000' }),
    feed({ size: undefined }),
  ];
  for (const info of hostile) assert.deepEqual(judge(info), { refusal: 'feed-invalid' }, JSON.stringify(info));
  assert.deepEqual(judge(feed()), { offer: { file, release } });
});

test('refuses what is not newer, and what was tried earlier and did not start', () => {
  const refused = new Set([sha512]);
  assert.deepEqual(judgeOffer(feed(), false, { ...own, refused: new Set() }), { refusal: 'not-newer' });
  assert.deepEqual(judgeOffer(feed(), true, { ...own, refused }), { refusal: 'refused-earlier' });
});

test('takes a signature over exactly this package, version, processor, size and digest, by the pinned key alone', () => {
  assert.equal(isSigned(release, signed(), publicKey), true);
  const changes = { packageName: 'signet-player-test', version: '0.3.0', arch: 'arm64', sizeBytes: 999 };
  for (const [name, value] of Object.entries({ ...changes, sha512: `B${sha512.slice(1)}` }))
    assert.equal(isSigned({ ...release, [name]: value }, signed(), publicKey), false, name);
  assert.equal(isSigned(release, signed(release, generateKeyPairSync('ed25519').privateKey), publicKey), false);
  for (const text of ['', 'no', signed().trim().slice(4), `${signed()}\n`, ` ${signed()}`])
    assert.equal(isSigned(release, text, publicKey), false, JSON.stringify(text));
});

test('takes an Ed25519 public key in PEM and nothing else for a key', () => {
  assert.notEqual(readUpdateKey(pem(publicKey)), null);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const text of ['', 'x', pem(other.publicKey), secret]) assert.equal(readUpdateKey(text), null);
});

test('the command that signs writes the statement that the player verifies, and reads names of npm run dist', async () => {
  const command = await buildModule('update/statement.mjs');
  assert.equal(command.statement(release), statement(release));
  assert.deepEqual(command.readName('signet-player-test-1.2.3-arm64.AppImage'), {
    packageName: 'signet-player-test',
    version: '1.2.3',
    arch: 'arm64',
  });
  for (const name of ['player.AppImage', 'signet-player-1.2-x86_64.AppImage', `../${file}`])
    assert.equal(command.readName(name), null, name);
});

/** Ports of a world in which all is well, and what was asked of them. */
function world(change: Partial<RoundPorts> = {}) {
  const asked: string[] = [];
  const ports: RoundPorts = {
    look: async () => ({ info: feed(), isNewer: true }),
    signature: async () => signed(),
    key: async () => publicKey,
    refused: async () => new Set(),
    isWritable: async () => true,
    assertRoom: async (bytes) => void asked.push(`room ${bytes}`),
    download: async (offer: Offer) => {
      asked.push('download');
      return offer.file;
    },
    place: async (from) => {
      asked.push('place');
      return `${from}.next`;
    },
    ...change,
  };
  return { asked, ports };
}

test('downloads nothing before key, signature, folder and room are as they must be', async () => {
  const cases: readonly [change: Partial<RoundPorts>, refusal: string][] = [
    [{ key: async () => null }, 'key-unusable'],
    [{ signature: async () => null }, 'unsigned'],
    [{ signature: async () => signed({ ...release, version: '0.2.1' }) }, 'signature-wrong'],
    [{ isWritable: async () => false }, 'folder-unwritable'],
    [{ refused: async () => new Set([sha512]) }, 'refused-earlier'],
  ];
  for (const [change, refusal] of cases) {
    const { asked, ports } = world(change);
    assert.deepEqual(await lookOnce(own, ports), { refusal });
    assert.deepEqual(asked, []);
  }
  const full = world({ assertRoom: () => Promise.reject(new Error('full')) });
  await assert.rejects(lookOnce(own, full.ports), /full/);
  assert.deepEqual(full.asked, []);
  const well = world();
  assert.deepEqual(await lookOnce(own, well.ports), { offer: { file, release }, next: `${file}.next` });
  assert.deepEqual(well.asked, ['room 1000', 'download', 'place']);
});

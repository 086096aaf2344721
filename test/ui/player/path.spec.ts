/** The path of a first start: key → request → PIN → claim → certificate → mutual TLS → picture. */
import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, readTree, test } from './rig.ts';

test('a new screen shows PIN and fingerprint, is claimed, and plays over mutual TLS', async ({ rig }) => {
  const player = await rig.start();
  const pin = await player.shownPin();
  const [pending] = rig.backend.pending();
  expect(pending?.pin).toBe(pin);
  const shown = (await player.page.getByTestId('fingerprint').textContent()) ?? '';
  expect(pending?.fingerprint.startsWith(shown.replaceAll(/\s/g, ''))).toBe(true);

  rig.backend.claim(pin, 'Lobby');
  await player.logged('item-shown', { itemId: 'item-welcome-jpg' });
  await player.logged('item-shown', { itemId: 'item-tide-mp4' });
  await expect(player.page.getByTestId('stage')).toBeVisible();

  const playlistCalls = rig.backend.requests.filter((request) => request.path === '/api/v2/screens/playlist');
  expect(playlistCalls.length).toBeGreaterThan(0);
  expect(playlistCalls.every(({ authorized, status }) => authorized && (status === 200 || status === 304))).toBe(true);
  const registrations = rig.backend.requests.filter((request) => request.path.includes('/registrations'));
  expect(registrations.every(({ authorized }) => !authorized)).toBe(true);

  const certificate = new X509Certificate(await readFile(path.join(rig.stateDirectory, 'certificate.pem')));
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  expect(createHash('sha256').update(spki).digest('hex')).toBe(pending?.fingerprint);
  expect(certificate.subject).toBe('CN=sign-under-test');
  await player.stop();
});

test('the second start plays from disk at once, as loud as the settings say, and asks for no PIN', async ({ rig }) => {
  await (await rig.startRegistered()).stop();
  const before = rig.backend.requests.length;
  rig.settings = { ...rig.settings, sound: { volume: 30, muted: false } };
  const player = await rig.start();
  await player.logged('item-shown');
  const loudness = () =>
    player.page.evaluate(() => {
      const videos = [...document.querySelectorAll('video')];
      return videos.filter(({ paused }) => !paused).map(({ volume, muted }) => ({ volume, muted }));
    });
  await expect.poll(loudness, { timeout: 60_000 }).toEqual([{ volume: 0.3, muted: false }]);
  await player.logged('session-started');
  expect(player.log.some(({ event }) => event === 'registration-pending')).toBe(false);
  await expect
    .poll(() => rig.backend.requests.slice(before).find(({ path: called }) => called.endsWith('/playlist'))?.status)
    .toBe(304);
  await player.stop();
});

test('with server and network gone the player restarted plays', async ({ rig }) => {
  await (await rig.startRegistered()).stop();
  await rig.backend.close();
  const player = await rig.start();
  await player.logged('item-shown', { itemId: 'item-welcome-jpg' });
  await player.logged('item-shown', { itemId: 'item-tide-mp4' });
  await player.logged('sync-failed');
  await player.stop();
});

test('a new playlist comes by push and is swapped in whole', async ({ rig }) => {
  const player = await rig.startRegistered();
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const sample = rig.backend.samplePlaylist();
  if (!('playlists' in sample)) throw new Error('the sample is a document');
  const [lobby] = sample.playlists;
  if (lobby === undefined) throw new Error('the sample has a playlist');
  const from = player.log.length;
  rig.backend.setPlaylist({ playlists: [{ ...lobby, items: lobby.items.slice(2, 3) }] });
  await player.logged('playlist-published', {}, from);
  await player.logged('item-shown', { itemId: 'item-wayfinding-jpg' }, from);
  await player.stop();
});

test('no byte of the private key is outside the TPM', async ({ rig }) => {
  const player = await rig.startRegistered();
  const pid = player.app.process().pid as number;
  const files = await readTree(rig.stateDirectory);
  const places = new Map(files);
  places.set('environ', await readFile(`/proc/${pid}/environ`));
  places.set('cmdline', await readFile(`/proc/${pid}/cmdline`));
  const keyFile = path.join(rig.stateDirectory, 'device-key.pem');
  const wrapped = [keyFile, path.join(rig.stateDirectory, 'attestation-key.pem')];
  for (const [file, bytes] of places) {
    const labels = bytes.toString('latin1').match(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/g) ?? [];
    expect(labels, file).toEqual(wrapped.includes(file) ? ['-----BEGIN TSS2 PRIVATE KEY-----'] : []);
    expect(containsPlainKey(bytes), file).toBe(false);
  }
  const pem = await readFile(keyFile, 'utf8');
  expect(() => createPublicKey(pem)).toThrow();
  await player.stop();
});

/** DER of SEC 1 ECPrivateKey (RFC 5915) and of PKCS#8 for P-256: version, then a 32-byte private value. */
function containsPlainKey(bytes: Buffer): boolean {
  const sec1 = Buffer.from('020101 0420'.replaceAll(' ', ''), 'hex');
  const pkcs8 = Buffer.from('301306072a8648ce3d020106082a8648ce3d0301070 46d'.replaceAll(' ', ''), 'hex');
  return bytes.includes(sec1) || bytes.includes(pkcs8);
}

test('the search for private keys finds one that is there', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(containsPlainKey(privateKey.export({ type: 'pkcs8', format: 'der' }))).toBe(true);
  expect(containsPlainKey(privateKey.export({ type: 'sec1', format: 'der' }))).toBe(true);
});

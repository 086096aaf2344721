/** What becomes of the screen when key, TPM, certificate or authority are not as they should be. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startBackend } from '../../backend/backend.ts';
import { startSwtpm } from '../../support/swtpm.ts';
import { shown } from './chips.ts';
import { expect, test } from './rig.ts';
import { scenario } from './scenario.ts';

const run = promisify(execFile);

test('without a TPM the screen says so and what to do; there is no software key', async ({ rig }) => {
  rig.settings = { identity: { tcti: `swtpm:path=${rig.folder}/nobody` } };
  const player = await rig.start();
  const trouble = player.page.getByTestId('screen-trouble');
  await expect(trouble).toContainText('TPM');
  await expect(trouble).toContainText('identity.tcti');
  expect(await readdir(rig.stateDirectory)).not.toContain('device-key.pem');
  expect((await readdir(rig.stateDirectory)).some((name) => name.includes('software'))).toBe(false);
  await player.stop();
});

test('a registered screen whose TPM is away keeps playing from disk', async ({ rig }) => {
  await (await rig.startRegistered()).stop();
  rig.settings = { identity: { tcti: `swtpm:path=${rig.folder}/nobody` } };
  const player = await rig.start();
  await player.logged('item-shown');
  await player.logged('identity-failed', { code: 'TPM_ABSENT' });
  await player.stop();
});

test('a TPM whose owner has set a password: the screen names the setting, and with it the player registers', async ({
  rig,
}) => {
  const env = { ...process.env, TPM2TOOLS_TCTI: rig.tpm.tcti };
  await run('tpm2_changeauth', ['-c', 'owner', 'a password'], { env });
  const asking = await rig.start();
  await expect(asking.page.getByTestId('screen-trouble')).toContainText('identity.ownerAuthFile');
  await asking.logged('identity-failed', { code: 'TPM_AUTH_REFUSED' });
  expect(await readdir(rig.stateDirectory)).not.toContain('device-key.pem');
  await asking.stop();
  const ownerAuthFile = path.join(rig.folder, 'owner-auth');
  await writeFile(ownerAuthFile, 'a password\n', { mode: 0o600 });
  rig.settings = { identity: { ownerAuthFile } };
  const player = await rig.startRegistered();
  await player.logged('session-started');
  expect(JSON.stringify(player.log)).not.toContain('a password');
  await player.stop();
});

test('a registered screen whose TPM was cleared shows it, loses its identity and must be claimed anew', async ({
  rig,
}) => {
  await (await rig.startRegistered()).stop();
  await run('tpm2_clear', ['-c', 'platform'], { env: { ...process.env, TPM2TOOLS_TCTI: rig.tpm.tcti } });
  const row = scenario('the TPM was cleared');
  const player = await rig.start();
  await player.logged('identity-failed', { code: 'KEY_LOST' });
  row.begins();
  const pin = await player.shownPin();
  expect(pin).toHaveLength(6);
  await row.see(player);
  const aside = (await readdir(rig.stateDirectory)).filter((name) => /\.lost-\d+$/.test(name));
  expect(aside.some((name) => name.startsWith('device-key.pem'))).toBe(true);
  expect(aside.some((name) => name.startsWith('certificate.pem'))).toBe(true);
  rig.backend.claim(pin, 'Lobby again');
  await player.logged('session-started');
  await expect.poll(() => shown(player)).toMatchObject({ state: 'playing' });
  await row.recovered(player);
  await player.stop();
});

test('the disk in another machine: the key is lost, put aside, and the screen must be claimed anew', async ({
  rig,
}) => {
  await (await rig.startRegistered()).stop();
  const other = await startSwtpm();
  rig.settings = { identity: { tcti: other.tcti } };
  const before = rig.backend.requests.length;
  const row = scenario('the disk in another machine');
  const player = await rig.start();
  await player.logged('identity-failed', { code: 'KEY_LOST' });
  row.begins();
  const pin = await player.shownPin();
  await row.see(player);
  const calls = rig.backend.requests.slice(before);
  expect(calls.some(({ authorized }) => authorized)).toBe(false);
  const names = await readdir(rig.stateDirectory);
  expect(names.some((name) => /^device-key\.pem\.lost-\d+$/.test(name))).toBe(true);
  expect(names.some((name) => /^certificate\.pem\.lost-\d+$/.test(name))).toBe(true);
  rig.backend.claim(pin, 'Lobby again');
  await player.logged('session-started');
  await expect.poll(() => shown(player)).toMatchObject({ state: 'playing' });
  await row.recovered(player);
  await player.stop();
  await other.stop();
});

test('a software key must be asked for by name, and is shown on the screen', async ({ rig }) => {
  rig.settings = { identity: { allowSoftwareKey: true, tcti: `swtpm:path=${rig.folder}/nobody` } };
  const player = await rig.start();
  await player.shownPin();
  await expect(player.page.getByTestId('software-key')).toBeVisible();
  await player.logged('software-key-in-use');
  await player.stop();
});

test('refuses to abandon a TPM key for a software key', async ({ rig }) => {
  await (await rig.start()).stop();
  const player1 = await rig.start();
  await player1.shownPin();
  await player1.stop();
  rig.settings = { identity: { allowSoftwareKey: true } };
  const player = await rig.start();
  await player.logged('identity-failed', { code: 'KEY_INVALID' });
  await player.stop();
});

test('refuses a certificate from another authority', async ({ rig }) => {
  const stranger = await startBackend({ stateDirectory: path.join(rig.folder, 'stranger') });
  rig.settings = { identity: { deviceCaFile: stranger.caFile } };
  const player = await rig.start();
  rig.backend.claim(await player.shownPin(), 'Lobby');
  await expect(player.page.getByTestId('screen-trouble')).toContainText('CERTIFICATE_UNTRUSTED');
  expect(await readdir(rig.stateDirectory)).not.toContain('certificate.pem');
  await player.stop();
  await stranger.close();
});

test('refuses a server whose certificate is not trusted, before it says a word', async ({ rig }) => {
  const stranger = await startBackend({ stateDirectory: path.join(rig.folder, 'stranger') });
  rig.settings = { server: { caFile: stranger.caFile } };
  const player = await rig.start();
  await player.logged('registration-failed', { code: 'SERVER_UNTRUSTED' });
  expect(rig.backend.requests).toEqual([]);
  await player.stop();
  await stranger.close();
});

test('a damaged or swapped certificate on disk is not used: the screen registers again with the same key', async ({
  rig,
}) => {
  const first = await rig.startRegistered();
  const key = await first.logged('device-key-opened');
  await first.stop();
  await writeFile(path.join(rig.stateDirectory, 'certificate.pem'), await readFile(rig.backend.caFile));
  const player = await rig.start();
  await player.logged('certificate-lost', { reason: 'key-mismatch' });
  await player.shownPin();
  expect((await player.logged('device-key-opened'))['fingerprint']).toBe(key['fingerprint']);
  await player.stop();
});

test('the certificate is renewed when the server says so, and the new one is used', async ({ rig }) => {
  const player = await rig.startRegistered();
  const file = path.join(rig.stateDirectory, 'certificate.pem');
  const old = await readFile(file, 'utf8');
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  rig.backend.sendEvent('certificate', 'renew');
  await player.logged('certificate-renewed');
  expect(await readFile(file, 'utf8')).not.toBe(old);
  await player.stop();
  const again = await rig.start();
  await again.logged('session-started');
  await again.logged('events-connected');
  await again.stop();
});

test('a revoked screen goes to standby after the grace period and says nothing of the reason', async ({ rig }) => {
  rig.settings = { policy: { graceSeconds: 0 } };
  const player = await rig.startRegistered();
  await player.logged('playlist-published');
  const standby = player.page.getByTestId('screen-standby');
  // Not the standby screen from before the first program.
  await expect(standby).toBeHidden({ timeout: 20_000 });
  const [screen] = rig.backend.screens();
  rig.backend.revoke(screen?.id ?? '');
  // A stream that has ended is asked for again within half a minute, and is refused.
  await expect(standby).toBeVisible({ timeout: 60_000 });
  await expect(standby).not.toContainText(/revoked|refused|certificate/i);
  await player.stop();
});

for (const [status, begin] of [
  [401, () => scenario('the server answers 401, later not')],
  [403, () => scenario('the server answers 403, later not')],
] as const) {
  test(`a screen that is answered ${status} goes to standby, and plays again when the server takes it back`, async ({
    rig,
  }) => {
    rig.settings = { policy: { graceSeconds: 0 } };
    const player = await rig.startRegistered();
    await player.logged('events-connected');
    await player.logged('playlist-published');
    // Not the standby screen from before the first program.
    await player.logged('item-shown');
    await expect(player.page.getByTestId('screen-standby')).toBeHidden({ timeout: 20_000 });
    const row = begin();
    rig.backend.failNext({ path: '/api/v2/screens/playlist', status, times: 100 });
    rig.backend.sendEvent('playlist', '0');
    await expect.poll(async () => (await shown(player)).state, { timeout: 20_000 }).toBe('standby');
    await expect(player.page.getByTestId('screen-standby')).toBeVisible({ timeout: 20_000 });
    await row.see(player);
    rig.backend.clearFaults();
    rig.backend.sendEvent('playlist', '0');
    row.begins();
    await expect.poll(() => shown(player), { timeout: 20_000 }).toEqual({ state: 'playing', code: null });
    await row.recovered(player);
    await player.stop();
  });
}

test('a key made by OpenSSL’s tpm2 provider works in the player', async ({ rig }) => {
  const key = path.join(rig.folder, 'openssl-key.pem');
  const env = { ...process.env, TPM2OPENSSL_TCTI: rig.tpm.tcti };
  const words = ['-provider', 'tpm2', '-provider', 'default'];
  await run('openssl', ['genpkey', ...words, '-algorithm', 'EC', '-pkeyopt', 'group:P-256', '-out', key], { env });
  const { stdout } = await run('openssl', ['pkey', ...words, '-in', key, '-pubout', '-outform', 'DER'], {
    env,
    encoding: 'buffer',
  });
  await mkdir(rig.stateDirectory, { recursive: true, mode: 0o700 });
  await copyFile(key, path.join(rig.stateDirectory, 'device-key.pem'));
  const player = await rig.startRegistered();
  const opened = await player.logged('device-key-opened');
  expect(opened['fingerprint']).toBe(createHash('sha256').update(stdout).digest('hex'));
  await player.logged('session-started');
  await player.stop();
  await rm(key);
});

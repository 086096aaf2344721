/** The identity's life: renewal, another key, another root, a year offline, a clock that is wrong. */
import { createHash, type X509Certificate } from 'node:crypto';
import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { readJournal } from '../../../electron/journal.ts';
import { acceptRequest } from '../../backend/certificate-request.ts';
import { createHierarchy } from '../../support/certificate-hierarchy.ts';
import { createAuthority } from '../../support/certificates.ts';
import { attested, certificateOf, clockOf, expect, shown, test } from './chips.ts';
import type { Rig } from './rig.ts';
import { scenario } from './scenario.ts';

const dayMs = 86_400_000;

const keyOf = (certificate: X509Certificate) =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

const events = async (rig: Rig) => (await readJournal(rig.stateDirectory, 100)).map(({ event }) => event);

test('a certificate is renewed at two thirds of its life; a server that fails meanwhile is asked again', async ({
  rig,
}) => {
  await rig.backend.close();
  // Backdated by a minute: due within seconds, and gone in 45.
  await rig.startBackend({ certificateLifetimeSeconds: 45 });
  const player = await rig.startRegistered();
  const first = await certificateOf(rig);
  const row = scenario('renewal at two thirds, the server fails twice');
  rig.backend.failNext({ path: '/api/v2/screens/certificate', status: 503, times: 2 });
  await player.logged('renewal-failed', { code: 'SERVER_ERROR' });
  row.begins();
  await row.see(player);
  await player.logged('certificate-renewed');
  await row.recovered(player);
  const second = await certificateOf(rig);
  expect(second.serialNumber).not.toBe(first.serialNumber);
  expect(Date.now()).toBeLessThan(Date.parse(first.validTo));
  expect(await shown(player)).toEqual({ state: 'playing', code: null });
  await player.stop();
});

test('a renewal over an authority that TLS refuses leaves the present certificate in use, and is tried again', async ({
  rig,
}) => {
  const good = createAuthority('Devices');
  const { rootPem, intermediate } = createHierarchy('sha1');
  let authority = good;
  await rig.backend.close();
  await rig.startBackend({
    issuer: {
      async issue({ csrPem, hostname, lifetimeSeconds }) {
        const validity = {
          notBefore: new Date(Date.now() - 60_000),
          notAfter: new Date(Date.now() + lifetimeSeconds * 1_000),
        };
        const { publicKey } = acceptRequest(csrPem, hostname);
        const { pem, serial } = authority.issue({
          commonName: hostname,
          publicKey,
          ...validity,
          purposes: ['clientAuth'],
        });
        return { certificatePem: pem, chainPem: [authority.certificatePem], reference: serial };
      },
      revoke: async () => undefined,
      roots: async () => [good.certificatePem, rootPem],
    },
  });
  rig.settings = { identity: { deviceCaFile: rig.backend.deviceCaFile } };
  const player = await rig.startRegistered();
  const before = (await certificateOf(rig)).serialNumber;
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  authority = intermediate;
  rig.backend.sendEvent('certificate', 'renew');
  await player.logged('certificate-unusable', { code: 'CERTIFICATE_UNUSABLE' });
  await player.logged('renewal-failed', { code: 'CERTIFICATE_UNUSABLE' });
  expect((await certificateOf(rig)).serialNumber).toBe(before);
  await expect.poll(() => shown(player)).toEqual({ state: 'playing', code: 'CERTIFICATE_UNUSABLE' });
  authority = good;
  await player.logged('certificate-renewed');
  expect((await certificateOf(rig)).serialNumber).not.toBe(before);
  expect(await events(rig)).toContain('certificate-refused');
  await player.stop();
  const again = await rig.start();
  await again.logged('events-connected');
  await again.stop();
});

test('another key: the old one stays until the new certificate works; the same attestation key certifies it', async ({
  rig,
  chip,
}) => {
  await attested(rig, chip);
  const first = await rig.startRegistered();
  const before = keyOf(await certificateOf(rig));
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  rig.backend.failNext({ path: '/api/v2/screens/playlist', status: 503, times: 10 });
  rig.backend.sendEvent('certificate', 'rekey');
  await first.logged('rekey-failed', { code: 'SERVER_REFUSED_CERTIFICATE' });
  rig.backend.clearFaults();
  expect(keyOf(await certificateOf(rig))).toBe(before);
  // They go once the failure was told.
  const left = async () => (await readdir(rig.stateDirectory)).filter((name) => name.includes('.next'));
  await expect.poll(left).toEqual([]);
  await first.stop();

  const player = await rig.start();
  await player.logged('events-connected');
  const from = player.log.length;
  const row = scenario('another key is asked for');
  await row.see(player);
  rig.backend.sendEvent('certificate', 'rekey');
  row.begins();
  await player.logged('device-key-changed');
  const opened = await player.logged('device-key-opened', {}, from);
  await player.logged('session-started', {}, from);
  await player.logged('events-connected', {}, from);
  await row.recovered(player);
  const after = keyOf(await certificateOf(rig));
  expect(after).not.toBe(before);
  expect(opened['fingerprint']).toBe(after);
  expect(rig.backend.screens()[0]?.fingerprint).toBe(after);
  expect(rig.backend.screens()[0]?.hardware_identity).toMatchObject({ verified: true });
  expect(player.log.slice(from).filter(({ event }) => event === 'state-changed')).toEqual([]);
  expect(await events(rig)).toEqual([
    'key-created',
    'registration-opened',
    'certificate-stored',
    'registered',
    'rekey-failed',
    'rekeyed',
  ]);
  await player.stop();
});

test('another root: announced before it is used, and trusted after a restart with the old one still pinned', async ({
  rig,
}) => {
  const pinned = path.join(rig.folder, 'pinned.pem');
  await copyFile(rig.backend.caFile, pinned);
  rig.settings = { server: { caFile: pinned }, identity: { deviceCaFile: pinned } };
  const player = await rig.startRegistered();
  const before = (await certificateOf(rig)).issuer;
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const row = scenario('the authority is replaced by the one that was announced');
  rig.backend.announceNextAuthority();
  await player.logged('roots-changed');
  await row.see(player);
  await rig.backend.rollOver();
  row.begins();
  rig.backend.sendEvent('certificate', 'renew');
  await player.logged('certificate-renewed');
  await row.recovered(player);
  expect((await certificateOf(rig)).issuer).not.toBe(before);
  expect(await events(rig)).toContain('root-announced');
  await player.stop();
  const again = await rig.start();
  await again.logged('events-connected');
  await again.stop();
});

test('a year offline: plays from disk, then the same chip and key get a certificate without an operator', async ({
  rig,
  chip,
}) => {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  await attested(rig, chip, { readmits: true, now });
  await (await rig.startRegistered()).stop();
  const before = await certificateOf(rig);
  const clock = clockOf(rig);
  offsetMs = 366 * dayMs;
  clock.set(offsetMs);
  rig.backend.failNext({ status: 503, times: 2 });
  const row = scenario('a year offline, the server readmits');
  const player = await rig.start();
  await player.logged('item-shown');
  row.begins();
  await player.logged('re-enrolment-failed');
  expect(await shown(player)).toEqual({ state: 'playing', code: 'CERTIFICATE_DATES' });
  await row.see(player);
  await player.logged('session-started');
  await player.logged('playlist-published');
  await expect.poll(() => shown(player)).toEqual({ state: 'playing', code: null });
  await row.recovered(player);
  expect(player.log.filter(({ event }) => event === 'state-changed')).toHaveLength(1);
  const after = await certificateOf(rig);
  expect(keyOf(after)).toBe(keyOf(before));
  expect(Date.parse(after.validTo)).toBeGreaterThan(now());
  expect(rig.backend.screens()).toHaveLength(1);
  expect((await events(rig)).slice(4, 7)).toEqual(['certificate-expired', 'certificate-stored', 're-enrolled']);
  await player.stop();

  // Another year, and a server that wants a person to decide.
  offsetMs = 732 * dayMs;
  clock.set(offsetMs);
  await attested(rig, chip, { readmits: false, now });
  const asked = scenario('a year offline, the server wants a person');
  const asking = await rig.start();
  await asking.logged('certificate-lost', { reason: 'dates' });
  const pin = await asking.shownPin();
  await asked.see(asking);
  asked.begins();
  rig.backend.claim(pin, 'Lobby');
  await asking.logged('session-started');
  await expect.poll(() => shown(asking)).toEqual({ state: 'playing', code: null });
  await asked.recovered(asking);
  await asking.stop();
  clock.close();
});

test('a clock that says 1970 or 2099 at boot: plays from disk, says so, goes on by itself when the time comes right', async ({
  rig,
}) => {
  await (await rig.startRegistered()).stop();
  const before = await certificateOf(rig);
  const clock = clockOf(rig);
  for (const [at, row] of [
    [0, scenario('the clock says 1970 at boot')],
    [Date.UTC(2099, 5), scenario('the clock says 2099 at boot')],
  ] as const) {
    clock.set(at - Date.now());
    const player = await rig.start();
    await player.logged('item-shown');
    await expect.poll(() => shown(player)).toEqual({ state: 'playing', code: 'CERTIFICATE_DATES' });
    await row.see(player);
    clock.set(0);
    row.begins();
    await player.logged('session-started');
    await player.logged('events-connected');
    await expect.poll(() => shown(player)).toEqual({ state: 'playing', code: null });
    await row.recovered(player);
    expect((await certificateOf(rig)).serialNumber).toBe(before.serialNumber);
    expect(player.log.filter(({ event }) => event === 'state-changed')).toHaveLength(1);
    await player.stop();
  }
  clock.close();
});

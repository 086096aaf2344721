/** Attested registration as screen and console show it: a chip that its maker vouches for, and one that nobody knows. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openTpm, publicAreaOf } from 'node-tss';
import { endorsementHash, readPublicArea, verifyAttestedRequest } from 'node-tss/attestation';
import { attested, expect, test } from './chips.ts';

test('a chip that its maker vouches for: screen and console say so, with maker and model', async ({ rig, chip }) => {
  await attested(rig, chip);
  const player = await rig.start();
  const pin = await player.shownPin();
  await expect(player.page.getByTestId('hardware')).toHaveText('Hardware identity verified (id:00001014, swtpm)');
  const verified = { verified: true, manufacturer: 'id:00001014', model: 'swtpm' };
  expect(rig.backend.pending()[0]?.hardware_identity).toEqual(verified);
  expect(rig.backend.claim(pin, 'Lobby').hardware_identity).toEqual(verified);
  await player.logged('item-shown');
  await player.stop();
});

test('a chip that the server does not know is told so, and registers by itself once it is on the list', async ({
  rig,
  chip,
}) => {
  const tpm = await openTpm({ tcti: chip.tcti });
  const hash = endorsementHash((await tpm.endorsementKey()).publicArea);
  await tpm.close();
  await attested(rig, chip, { endorsementAuthorities: [] });
  const player = await rig.start();
  await player.logged('registration-failed', { code: 'ATTESTATION_REFUSED' });
  const screen = player.page.getByTestId('screen-registering');
  await expect(screen).toContainText('The server does not accept this device’s hardware identity.');
  await expect(player.page.getByTestId('pin')).toHaveCount(0);
  expect(rig.backend.pending()).toEqual([]);
  const { port } = rig.backend;
  await attested(rig, chip, { port, endorsementAuthorities: [], endorsementHashes: [hash] });
  await expect(player.page.getByTestId('hardware')).toContainText('Hardware identity verified', { timeout: 60_000 });
  await player.stop();
});

test('where the settings want it, the certificate request itself carries what the chip says of the key', async ({
  rig,
  chip,
}) => {
  await attested(rig, chip);
  rig.settings = { ...rig.settings, identity: { ...rig.settings['identity'], attestation: 'in-request' } };
  const player = await rig.start();
  await player.shownPin();
  const state = JSON.parse(await readFile(path.join(rig.folder, 'server', 'state.json'), 'utf8'));
  const { csrPem } = state.registrations.at(-1);
  const attestationPem = await readFile(path.join(rig.stateDirectory, 'attestation-key.pem'), 'utf8');
  const attestationKey = readPublicArea(publicAreaOf(attestationPem)).publicKey;
  const { publicKey } = verifyAttestedRequest(csrPem, attestationKey);
  const opened = await player.logged('device-key-opened');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  expect(createHash('sha256').update(spki).digest('hex')).toBe(opened['fingerprint']);
  await expect(player.page.getByTestId('hardware')).toContainText('Hardware identity verified');
  await player.stop();
});

/** Attested registration as screen and console show it: a chip that its maker vouches for, and one that nobody knows. */

import { openTpm } from 'node-tss';
import { endorsementHash } from 'node-tss/attestation';
import { type SoftwareTpm, startSwtpm } from '../../support/swtpm.ts';
import { type TpmMaker, tpmMaker } from '../../support/tpm-maker.ts';
import { expect, type Rig, test } from './rig.ts';

let maker: TpmMaker;
let chip: SoftwareTpm;
test.beforeAll(async () => {
  maker = tpmMaker();
  await maker.make();
});
test.afterAll(() => maker.remove());
test.beforeEach(async () => {
  chip = await startSwtpm({ stateFolder: await maker.again() });
});
test.afterEach(() => chip.stop());

/** The rig's server with a policy, and the player on a chip with a certificate. */
async function attested(rig: Rig, options: Parameters<Rig['startBackend']>[0]): Promise<void> {
  await rig.backend.close();
  await rig.startBackend({ attestation: 'required', endorsementAuthorities: [maker.authorityPem()], ...options });
  rig.settings = { ...rig.settings, identity: { ...rig.settings['identity'], tcti: chip.tcti } };
}

test('a chip that its maker vouches for: screen and console say so, with maker and model', async ({ rig }) => {
  await attested(rig, {});
  const player = await rig.start();
  const pin = await player.shownPin();
  await expect(player.page.getByTestId('hardware')).toHaveText('Hardware identity verified (id:00001014, swtpm)');
  const verified = { verified: true, manufacturer: 'id:00001014', model: 'swtpm' };
  expect(rig.backend.pending()[0]?.hardware_identity).toEqual(verified);
  expect(rig.backend.claim(pin, 'Lobby').hardware_identity).toEqual(verified);
  await player.logged('hardware-verified');
  await player.logged('item-shown');
  await player.stop();
  const again = await rig.start();
  await again.logged('session-started');
  await again.stop();
});

test('a chip that the server does not know is told so, and registers by itself once it is on the list', async ({
  rig,
}) => {
  await attested(rig, { endorsementAuthorities: [] });
  const player = await rig.start();
  await player.logged('registration-failed', { code: 'ATTESTATION_REFUSED' });
  const screen = player.page.getByTestId('screen-registering');
  await expect(screen).toContainText('The server does not accept this device’s hardware identity.');
  await expect(player.page.getByTestId('pin')).toHaveCount(0);
  expect(rig.backend.pending()).toEqual([]);
  await player.stop();
  const tpm = await openTpm({ tcti: chip.tcti });
  const hash = endorsementHash((await tpm.endorsementKey()).publicArea);
  await tpm.close();
  await attested(rig, { endorsementAuthorities: [], endorsementHashes: [hash] });
  const listed = await rig.start();
  await expect(listed.page.getByTestId('hardware')).toContainText('Hardware identity verified');
  await listed.stop();
});

test('a server that prefers a proof lets an unknown chip in, and screen and console say why it is not verified', async ({
  rig,
}) => {
  await attested(rig, { attestation: 'preferred', endorsementAuthorities: [] });
  const player = await rig.start();
  await player.shownPin();
  await expect(player.page.getByTestId('hardware')).toHaveText(
    'Hardware identity not verified: the chip is not known to the server',
  );
  expect(rig.backend.pending()[0]?.hardware_identity).toEqual({ verified: false, code: 'endorsement-untrusted' });
  await player.stop();
});

test('a software key, and a screen that must not show its chip, have no proof to give', async ({ rig }) => {
  await attested(rig, {});
  rig.settings = { identity: { tcti: chip.tcti, attestation: 'never' } };
  const player = await rig.start();
  await player.logged('registration-failed', { code: 'ATTESTATION_REQUIRED' });
  await expect(player.page.getByTestId('screen-registering')).toContainText('verified TPM only');
  await player.stop();
});

/** The player's own request with evidence in it (`identity.attestation` `in-request`), made with a real TPM. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { publicAreaOf } from 'node-tss';
import { readAttestedRequest, readPublicArea, verifyAttestedRequest } from 'node-tss/attestation';
import { requestFor } from '../../../electron/assembly/identity.ts';
import type { Settings } from '../../../electron/settings.ts';
import { openDeviceKey } from '../../../electron/tpm/key.ts';
import { openssl } from '../../support/openssl.ts';
import { silentLog } from '../../support/silent-log.ts';
import { tpmMaker } from '../../support/tpm-maker.ts';
import { tpmRig } from '../../support/tpm-rig.ts';

const maker = tpmMaker();
after(() => maker.remove());

test('in-request: the request carries what the TPM says of its key; offer and never: it does not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'signet-attested-'));
  t.after(() => rm(folder, { recursive: true }));
  const rig = await tpmRig(t, { stateFolder: await maker.make() });
  const key = await openDeviceKey({
    tcti: rig.relay.tcti,
    ownerAuth: undefined,
    allowSoftwareKey: false,
    keyFile: join(folder, 'device-key.pem'),
    attestationKeyFile: join(folder, 'attestation-key.pem'),
    softwareKeyFile: join(folder, 'software.pem'),
    log: silentLog,
  });
  t.after(() => key.close());
  const made = (attestation: string) =>
    requestFor({ identity: { hostname: 'screen', attestation } } as unknown as Settings, key);

  const pem = await made('in-request');
  openssl(['req', '-verify', '-noout'], { input: pem });
  const { readFile } = await import('node:fs/promises');
  const attestationKey = publicAreaOf(await readFile(join(folder, 'attestation-key.pem'), 'utf8'));
  verifyAttestedRequest(pem, readPublicArea(attestationKey).publicKey);
  assert.equal(readAttestedRequest(pem)?.certificates.length, 1);
  for (const without of ['offer', 'never']) assert.equal(readAttestedRequest(await made(without)), null);
});

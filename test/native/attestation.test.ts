import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { after, type TestContext, test } from 'node:test';
import { openTpm, publicAreaOf, softwareKey, type Tpm } from 'node-tss';
import { chipOf, makeCredential, readPublicArea } from 'node-tss/attestation';
import { checkSignature, readCertifiedKey } from '../../native/attestation/attest.ts';
import { certificateIn } from '../../native/endorsement.ts';
import { createKey, keyPem } from '../support/certificates.ts';
import { tpmMaker } from '../support/tpm-maker.ts';
import { type TpmRig, tpmRig } from '../support/tpm-rig.ts';

const maker = tpmMaker();
after(() => maker.remove());

/** A TPM as its maker has delivered it. */
async function endorsed(
  context: TestContext,
  chip: 'the same' | 'another' = 'the same',
): Promise<{ rig: TpmRig; tpm: Tpm; authorityPem: string }> {
  const rig = await tpmRig(context, { stateFolder: await (chip === 'another' ? maker.make() : maker.again()) });
  return { rig, tpm: await rig.open(), authorityPem: maker.authorityPem() };
}

/** Nothing of ours is left in the TPM: no object, no session. */
async function assertEmpty({ tool, handles }: TpmRig): Promise<void> {
  assert.deepEqual(await handles(), []);
  for (const kind of ['loaded', 'saved']) assert.doesNotMatch(await tool('getcap', `handles-${kind}-session`), /0x/);
}

test('finds the endorsement key that its maker has certified, ECC before RSA', async (t) => {
  const { rig, tpm, authorityPem } = await endorsed(t);
  const { kind, handle, publicArea, certificate } = await tpm.endorsementKey();
  assert.deepEqual([kind, handle], ['ecc-p384', 0x81010016]);
  assert.ok(certificate);
  const x509 = new X509Certificate(certificate);
  assert.ok(x509.verify(new X509Certificate(authorityPem).publicKey));
  assert.ok(x509.publicKey.equals(readPublicArea(publicArea).publicKey));
  assert.deepEqual(chipOf(x509), { manufacturer: 'id:00001014', model: 'swtpm', version: 'id:20191023' });
  await assertEmpty(rig);
});

test('finds the RSA endorsement key where it alone is certified', async (t) => {
  const { rig, tpm } = await endorsed(t);
  await rig.tool('nvundefine', '-C', 'p', '0x1c00016');
  const { kind, handle, certificate } = await tpm.endorsementKey();
  assert.deepEqual([kind, handle], ['rsa-2048', 0x81010001]);
  assert.ok(certificate);
  await assertEmpty(rig);
});

test('makes the endorsement key of the standard template where none is persistent, and it is the certified one', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const persistent = await tpm.endorsementKey();
  await rig.tool('evictcontrol', '-C', 'p', '-c', '0x81010016');
  await rig.tool('evictcontrol', '-C', 'p', '-c', '0x81010001');
  const made = await tpm.endorsementKey();
  assert.deepEqual(made, { ...persistent, handle: null });
  await rig.tool('nvundefine', '-C', 'p', '0x1c00016');
  assert.deepEqual((await tpm.endorsementKey()).kind, 'rsa-2048');
  await assertEmpty(rig);
});

test('tells the P-256 endorsement key of a TPM whose maker certifies nothing', async (t) => {
  const rig = await tpmRig(t);
  const tpm = await rig.open();
  const found = await tpm.endorsementKey();
  assert.deepEqual([found.kind, found.handle, found.certificate], ['ecc-p256', null, null]);
  assert.deepEqual(await tpm.endorsementKey(), found);
  await assertEmpty(rig);
});

test('does not take the certificate of another chip for its own', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const other = await endorsed(t, 'another');
  const { certificate } = await other.tpm.endorsementKey();
  await rig.tool('nvundefine', '-C', 'p', '0x1c00016');
  await rig.tool('nvundefine', '-C', 'p', '0x1c00002');
  const size = String(certificate?.length);
  await rig.tool('nvdefine', '-C', 'o', '0x1c00016', '-s', size, '-a', 'ownerwrite|ownerread|authread|no_da');
  writeFileSync(`${rig.emulator.folder}/other.der`, certificate as Buffer);
  await rig.tool('nvwrite', '-C', 'o', '0x1c00016', '-i', 'other.der');
  assert.equal((await tpm.endorsementKey()).certificate, null);
});

test('strips what a maker has left behind the certificate, and takes nothing else for one', async (t) => {
  const { tpm } = await endorsed(t);
  const { certificate } = await tpm.endorsementKey();
  assert.ok(certificate);
  for (const rest of [0, 1, 200]) {
    assert.deepEqual(certificateIn(Buffer.concat([certificate, Buffer.alloc(rest, 0xff)]))?.der, certificate);
  }
  const longer = Buffer.from(certificate);
  longer.writeUInt16BE(0xffff, 2);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('3082', 'hex'),
    Buffer.alloc(1000, 0x30),
    certificate.subarray(0, 800),
    longer,
  ]) {
    assert.equal(certificateIn(bytes), undefined);
  }
});

const anew = { 'ecc-p256': [], 'ecc-p384': ['0x81010016'], 'rsa-2048': ['0x81010001'] } as const;

for (const kind of ['ecc-p256', 'ecc-p384', 'rsa-2048'] as const) {
  test(`opens a credential for its ${kind} endorsement key, persistent or made anew, and leaves the TPM empty`, async (t) => {
    const { rig, tpm } = await endorsed(t);
    const { pem, publicArea } = await tpm.createAttestationKey();
    await assertEmpty(rig);
    const { name } = readPublicArea(publicArea);
    const endorsement = await tpm.endorsementKey(kind);
    for (const evicted of [undefined, ...anew[kind]]) {
      if (evicted !== undefined) await rig.tool('evictcontrol', '-C', 'p', '-c', evicted);
      const secret = randomBytes(32);
      const credential = makeCredential(readPublicArea(endorsement.publicArea), name, secret);
      assert.deepEqual(await tpm.activateCredential(kind, pem, credential), secret);
      await assertEmpty(rig);
    }
  });
}

test('refuses a credential for another attestation key, another chip, or of damaged bytes, and leaves the TPM empty', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const [own, other] = [await tpm.createAttestationKey(), await tpm.createAttestationKey()];
  const { kind, publicArea } = await tpm.endorsementKey();
  const endorsement = readPublicArea(publicArea);
  const stranger = readPublicArea((await (await (await tpmRig(t)).open()).endorsementKey(kind)).publicArea);
  const { name } = readPublicArea(own.publicArea);
  const secret = randomBytes(32);
  const good = makeCredential(endorsement, name, secret);
  const damaged = Buffer.from(good.credentialBlob);
  damaged.writeUInt8(damaged.readUInt8(10) ^ 1, 10);
  for (const [pem, credential] of [
    [other.pem, good],
    [own.pem, makeCredential(endorsement, readPublicArea(other.publicArea).name, secret)],
    [own.pem, makeCredential(stranger, name, secret)],
    [own.pem, { ...good, credentialBlob: damaged }],
  ] as const) {
    await assert.rejects(tpm.activateCredential(kind, pem, credential), {
      name: 'TssError',
      code: 'CREDENTIAL_REFUSED',
    });
    await assertEmpty(rig);
  }
  assert.deepEqual(await tpm.activateCredential(kind, own.pem, good), secret);
});

test('refuses what is no credential, no kind of key, no attestation key, before the TPM hears of it', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const { pem, publicArea } = await tpm.createAttestationKey();
  const signing = await tpm.createKey();
  const { kind, publicArea: endorsement } = await tpm.endorsementKey();
  const good = makeCredential(readPublicArea(endorsement), readPublicArea(publicArea).name, Buffer.alloc(32));
  await tpm.info();
  rig.relay.commands.length = 0;
  const longer = Buffer.concat([good.credentialBlob, Buffer.alloc(1)]);
  for (const credential of [
    { ...good, credentialBlob: longer },
    { ...good, credentialBlob: Buffer.alloc(0) },
    { ...good, credentialBlob: Buffer.alloc(2) },
    { ...good, encryptedSecret: good.encryptedSecret.subarray(1) },
    { ...good, encryptedSecret: Buffer.alloc(5000, 1) },
    { ...good, encryptedSecret: 'text' as unknown as Buffer },
    { credentialBlob: good.credentialBlob } as unknown as typeof good,
  ]) {
    await assert.rejects(tpm.activateCredential(kind, pem, credential), { code: 'ARGUMENT_INVALID' });
  }
  for (const wrong of ['rsa-4096', 7, undefined, {}]) {
    await assert.rejects(tpm.activateCredential(wrong as 'rsa-2048', pem, good), { code: 'ARGUMENT_INVALID' });
    if (wrong !== undefined)
      await assert.rejects(tpm.endorsementKey(wrong as 'rsa-2048'), { code: 'ARGUMENT_INVALID' });
  }
  await assert.rejects(tpm.activateCredential(kind, signing, good), {
    code: 'KEY_INVALID',
    message: /attestation key/,
  });
  await assert.rejects(tpm.loadKey(pem), { code: 'KEY_INVALID', message: /restricted/ });
  const key = await tpm.loadKey(signing);
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(65), 'nonce', undefined]) {
    await assert.rejects(tpm.certify(key, pem, wrong as Buffer), { code: 'ARGUMENT_INVALID' });
  }
  await assert.rejects(tpm.certify(key, signing, Buffer.alloc(32)), { code: 'KEY_INVALID' });
  const inSoftware = softwareKey(keyPem(createKey().privateKey));
  await assert.rejects(tpm.certify(inSoftware, pem, Buffer.alloc(32)), { code: 'ARGUMENT_INVALID' });
  await assert.rejects(tpm.certify({} as typeof key, pem, Buffer.alloc(32)), { code: 'ARGUMENT_INVALID' });
  assert.ok(!rig.relay.commands.some((code) => code === 0x147 || code === 0x148), 'ActivateCredential, Certify');
});

test('certifies a key with the verifier’s data signed in, and leaves the TPM empty', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const attestation = await tpm.createAttestationKey();
  const pem = await tpm.createKey();
  const key = await tpm.loadKey(pem);
  await assertEmpty(rig);
  const data = randomBytes(32);
  const { attest, signature } = await tpm.certify(key, attestation.pem, data);
  await assertEmpty(rig);
  const signer = readPublicArea(attestation.publicArea).publicKey;
  checkSignature(signature, attest, signer);
  const certified = readCertifiedKey(attest);
  assert.deepEqual(certified.extraData, data);
  const { name, publicKey } = readPublicArea(publicAreaOf(pem));
  assert.deepEqual(certified.name, name);
  assert.ok(publicKey.equals(createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' })));
  const changed = Buffer.from(attest);
  changed.writeUInt8(changed.readUInt8(20) ^ 1, 20);
  assert.throws(() => checkSignature(signature, changed, signer), { code: 'SIGNATURE_INVALID' });
  // It signs on for handshakes.
  assert.equal((await key.sign(Buffer.alloc(32)))[0], 0x30);
});

test('refuses to certify a key of another TPM, or one that was closed', async (t) => {
  const { tpm } = await endorsed(t);
  const { pem } = await tpm.createAttestationKey();
  const other = await (await tpmRig(t)).open();
  const foreign = await other.loadKey(await other.createKey());
  await assert.rejects(tpm.certify(foreign, pem, Buffer.alloc(32)), { code: 'KEY_CLOSED' });
  const key = await tpm.loadKey(await tpm.createKey());
  await key.close();
  await assert.rejects(tpm.certify(key, pem, Buffer.alloc(32)), { code: 'KEY_CLOSED' });
  const stranger = await other.createAttestationKey();
  const own = await tpm.loadKey(await tpm.createKey());
  await assert.rejects(tpm.certify(own, stranger.pem, Buffer.alloc(32)), { code: 'KEY_LOST' });
});

test('says that the endorsement hierarchy has a password', async (t) => {
  const { rig, tpm } = await endorsed(t);
  await rig.tool('evictcontrol', '-C', 'p', '-c', '0x81010001');
  const { pem } = await tpm.createAttestationKey();
  await rig.tool('changeauth', '-c', 'endorsement', 'secret');
  const refused = { code: 'TPM_ENDORSEMENT_AUTH', message: /endorsement hierarchy has a password/ };
  await assert.rejects(tpm.endorsementKey('rsa-2048'), refused);
  const credential = {
    credentialBlob: Buffer.from('000401020304', 'hex'),
    encryptedSecret: Buffer.from('00021234', 'hex'),
  };
  await assert.rejects(tpm.activateCredential('rsa-2048', pem, credential), refused);
  await assertEmpty(rig);
});

test('attests over a line that is cut, and with a slot taken by others', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const attestation = await tpm.createAttestationKey();
  const { kind, publicArea } = await tpm.endorsementKey();
  const key = await tpm.loadKey(await tpm.createKey());
  const secret = randomBytes(16);
  const credential = makeCredential(readPublicArea(publicArea), readPublicArea(attestation.publicArea).name, secret);
  const cuts = new Set([0x147, 0x148]);
  rig.relay.rule = (code) => (cuts.delete(code) ? 'cut' : 'pass');
  assert.deepEqual(await tpm.activateCredential(kind, attestation.pem, credential), secret);
  assert.ok((await tpm.certify(key, attestation.pem, Buffer.alloc(1, 1))).attest.length > 0);
  await assert.doesNotReject(assertEmpty(rig));
  await rig.tool('createprimary', '-G', 'ecc', '-c', 'foreign.ctx');
  const foreign = await rig.handles();
  assert.deepEqual(await tpm.activateCredential(kind, attestation.pem, credential), secret);
  assert.ok((await tpm.certify(key, attestation.pem, Buffer.alloc(64, 1))).attest.length > 0);
  assert.deepEqual(await rig.handles(), foreign);
  await rig.tool('flushcontext', '-t');
});

test('gives everything back when the TPM is closed in the middle of attestation', async (t) => {
  const { rig, tpm } = await endorsed(t);
  const { pem } = await tpm.createAttestationKey();
  const key = await tpm.loadKey(await tpm.createKey());
  const certified = tpm.certify(key, pem, Buffer.alloc(32, 1));
  await tpm.close();
  assert.ok((await certified).signature.length > 0);
  await assertEmpty(rig);
  const again = await openTpm({ tcti: rig.relay.tcti });
  t.after(() => again.close());
  assert.equal((await again.info()).transientObjects, 0);
});

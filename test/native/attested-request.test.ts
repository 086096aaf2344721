/** A certificate request that carries its own evidence: what passes, and every mix that must not. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { attestationAttribute, certificateRequest, ownQualifyingData, publicAreaOf } from 'node-tss';
import { Challenges, readAttestedRequest, readPublicArea, verifyAttestedRequest } from 'node-tss/attestation';
import { answerOf, attestingDevice } from '../support/attesting-device.ts';
import { openssl } from '../support/openssl.ts';
import { tpmMaker } from '../support/tpm-maker.ts';

const maker = tpmMaker();
after(() => maker.remove());

const code = (wanted: string) => ({ name: 'AttestationError', code: wanted });

test('a request with evidence in it passes, and no mix of it with anything else', async (t) => {
  const [own, other] = [await attestingDevice(t, maker), await attestingDevice(t, maker)];
  const [attestationKey, foreign] = [own, other].map(({ evidence }) => readPublicArea(evidence.akPublic).publicKey);
  assert.ok(attestationKey && foreign && own.endorsement.certificate);
  const certified = async (data = ownQualifyingData(own.key.publicKey), keyPublic = own.evidence.keyPublic) => {
    const { attest, signature } = await own.tpm.certify(own.key, own.attestationPem, data);
    return attestationAttribute({ certifyInfo: attest, certifySignature: signature, keyPublic });
  };
  const request = async (attribute: Uint8Array, key = own.key) => certificateRequest('CN=screen', key, attribute);
  const refuses = async (attribute: Uint8Array, wanted: string, key = own.key) => {
    const pem = await request(attribute, key);
    assert.throws(() => verifyAttestedRequest(pem, attestationKey), code(wanted));
  };

  await t.test('passes what the attestation key says of the key that signs the request', async () => {
    const pem = await request(await certified());
    const key = verifyAttestedRequest(pem, attestationKey);
    assert.deepEqual(key.name, readPublicArea(own.evidence.keyPublic).name);
  });

  await t.test('is a request that OpenSSL verifies, with the attribute and the chip’s certificate in it', async () => {
    const { attest, signature } = await own.tpm.certify(
      own.key,
      own.attestationPem,
      ownQualifyingData(own.key.publicKey),
    );
    const statement = { certifyInfo: attest, certifySignature: signature, keyPublic: own.evidence.keyPublic };
    const certificate = own.endorsement.certificate ?? Buffer.alloc(0);
    const pem = await request(attestationAttribute(statement, [certificate]));
    openssl(['req', '-verify', '-noout'], { input: pem });
    const parsed = openssl(['asn1parse'], { input: pem });
    assert.match(parsed, /OBJECT\s+:1\.2\.840\.113549\.1\.9\.16\.2\.59/);
    assert.match(parsed, /OBJECT\s+:2\.23\.133\.20\.1/);
    const read = readAttestedRequest(pem);
    assert.deepEqual(read, { ...statement, certificates: [certificate] });
  });

  await t.test('proves as much in a challenge as one without', async () => {
    const trust = { authorities: [maker.authorityPem()], endorsementHashes: [] };
    const challenges = new Challenges(trust, Date.now, { lifetimeMs: 60_000 });
    const evidence = { ...own.evidence, csrPem: await request(await certified()) };
    const challenge = challenges.open('r', evidence);
    assert.equal(challenges.settle('r', await answerOf(own, challenge, evidence)).model, 'swtpm');
  });

  await t.test('refuses a request without evidence, or with evidence of another kind', async () => {
    await refuses(Buffer.alloc(0), 'REQUEST_INVALID');
    assert.equal(readAttestedRequest(own.evidence.csrPem), null);
    const unknown = Buffer.from(await certified());
    unknown[unknown.indexOf(Buffer.from('6781051401', 'hex')) + 4] = 2;
    await refuses(unknown, 'REQUEST_INVALID');
  });

  await t.test('refuses the word of another TPM’s attestation key', async () => {
    const pem = await request(await certified());
    assert.throws(() => verifyAttestedRequest(pem, foreign), code('SIGNATURE_INVALID'));
  });

  await t.test('refuses a request for another key than the certified one', async () => {
    const second = await own.tpm.loadKey(await own.tpm.createKey());
    await refuses(await certified(), 'REQUEST_KEY_MISMATCH', second);
    await refuses(await certified(), 'REQUEST_KEY_MISMATCH', other.key);
  });

  await t.test('refuses the public area of another key, or of this one with other attributes', async () => {
    const second = publicAreaOf(await own.tpm.createKey());
    await refuses(await certified(undefined, second), 'ATTEST_NAME');
    const movable = Buffer.from(own.evidence.keyPublic);
    movable.writeUInt32BE(movable.readUInt32BE(6) & ~0x12, 6);
    await refuses(await certified(undefined, movable), 'ATTEST_NAME');
  });

  await t.test('refuses a certification that was made for a challenge', async () => {
    await refuses(await certified(randomBytes(32)), 'ATTEST_NONCE');
  });

  await t.test('refuses a request that somebody has put evidence into', async () => {
    const pem = await request(await certified());
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
    const at = der.indexOf(own.evidence.keyPublic.subarray(2)) + 8;
    der.writeUInt8(der.readUInt8(at) ^ 1, at);
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
    assert.throws(() => verifyAttestedRequest(changed, attestationKey), code('REQUEST_SIGNATURE'));
  });

  await t.test('refuses evidence that comes twice, and structures that break off', async () => {
    const attribute = await certified();
    await refuses(Buffer.concat([attribute, attribute]), 'REQUEST_INVALID');
    const hollow = Buffer.from(attribute);
    hollow[hollow.indexOf(Buffer.from('6781051401', 'hex')) + 5] = 0x31;
    await refuses(hollow, 'REQUEST_INVALID');
  });
});

test('refuses to write a public area that is none', () => {
  const statement = { certifyInfo: Buffer.alloc(8), certifySignature: Buffer.alloc(8), keyPublic: Buffer.from([0, 9]) };
  assert.throws(() => attestationAttribute(statement), { code: 'ARGUMENT_INVALID' });
});

/** Every mix of evidence that must not pass, against real chips: each is refused, with a code of its own. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { after, test } from 'node:test';
import { certificateRequest, softwareKey } from 'node-tss';
import {
  type Answer,
  Challenges,
  type Evidence,
  endorsementHash,
  type Trust,
  verifyAnswer,
} from 'node-tss/attestation';
import { readCertificateRequest } from '../../native/attestation/certificate-request.ts';
import { answerOf, attestingDevice, certified, withPoint } from '../support/attesting-device.ts';
import { createAuthority, createKey, keyPem } from '../support/certificates.ts';
import { tpmMaker } from '../support/tpm-maker.ts';

const maker = tpmMaker();
after(() => maker.remove());

const code = (wanted: string) => ({ name: 'AttestationError', code: wanted });

test('evidence of a genuine chip passes, and no mix of it with anything else', async (t) => {
  const [own, other] = [await attestingDevice(t, maker), await attestingDevice(t, maker)];
  let nowMs = Date.now();
  const trust: Trust = { authorities: [maker.authorityPem()], endorsementHashes: [] };
  const challenges = new Challenges(trust, () => nowMs, { lifetimeMs: 60_000 });
  const open = (evidence: Evidence) => challenges.open('r1', evidence);
  const settle = (given: Answer) => () => challenges.settle('r1', given);

  await t.test('passes what one chip says of one key and one request', async () => {
    const identity = challenges.settle('r1', await answerOf(own, open(own.evidence)));
    assert.equal(identity.vouchedBy, 'certificate');
    assert.equal(identity.model, 'swtpm');
    assert.equal(identity.endorsementHash, endorsementHash(own.evidence.ekPublic));
  });

  await t.test('refuses the attestation key of another TPM', async () => {
    const mixed = { ...own.evidence, akPublic: other.evidence.akPublic };
    const challenge = open(mixed);
    // Neither chip opens it: one lacks the attestation key, the other the endorsement key.
    for (const [chip, pem] of [
      [own, other.attestationPem],
      [other, other.attestationPem],
    ] as const) {
      await assert.rejects(chip.tpm.activateCredential(own.endorsement.kind, pem, challenge));
    }
    assert.throws(
      settle(await certified(other, challenge.nonce, randomBytes(32), mixed.csrPem)),
      code('SECRET_MISMATCH'),
    );
  });

  await t.test('refuses an attestation key in software beside a real endorsement key', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = { ...own.evidence, akPublic: withPoint(own.evidence.akPublic, publicKey.export({ format: 'jwk' })) };
    const challenge = open(forged);
    // The chip knows no key of that name, so whoever holds the software key does not learn the secret.
    await assert.rejects(answerOf(own, challenge, forged), { code: 'CREDENTIAL_REFUSED' });
    assert.throws(
      settle(await certified(own, challenge.nonce, randomBytes(32), forged.csrPem)),
      code('SECRET_MISMATCH'),
    );
  });

  await t.test('refuses an attestation key that signs what anybody gives it', async () => {
    const unrestricted = { ...own.evidence, akPublic: own.evidence.keyPublic };
    assert.throws(() => open(unrestricted), code('ATTESTATION_KEY_ATTRIBUTES'));
  });

  await t.test('refuses a key that is not fixed to its TPM, told honestly or not', async () => {
    const movable = Buffer.from(own.evidence.keyPublic);
    movable.writeUInt32BE(movable.readUInt32BE(6) & ~0x12, 6);
    assert.throws(() => open({ ...own.evidence, keyPublic: movable }), code('KEY_ATTRIBUTES'));
    // A key of a file, dressed in the attributes of one in a TPM: the TPM cannot certify it, only another one.
    const software = softwareKey(keyPem(createKey().privateKey));
    const jwk = createPublicKey({ key: software.publicKey, format: 'der', type: 'spki' }).export({ format: 'jwk' });
    const dressed = {
      ...own.evidence,
      csrPem: await certificateRequest('CN=screen', software),
      keyPublic: withPoint(own.evidence.keyPublic, jwk),
    };
    assert.throws(settle(await answerOf(own, open(dressed), dressed)), code('ATTEST_NAME'));
  });

  await t.test('refuses the certification of another key', async () => {
    const second = await own.tpm.loadKey(await own.tpm.createKey());
    assert.throws(settle(await answerOf(own, open(own.evidence), own.evidence, second)), code('ATTEST_NAME'));
  });

  await t.test('refuses a certification with a nonce of before', async () => {
    const earlier = open(own.evidence);
    const challenge = open(own.evidence);
    const secret = await own.tpm.activateCredential(own.endorsement.kind, own.attestationPem, challenge);
    const stale = await certified(own, earlier.nonce, secret, own.evidence.csrPem);
    assert.throws(settle(stale), code('ATTEST_NONCE'));
  });

  await t.test('refuses an answer that comes too late', async () => {
    const late = await answerOf(own, open(own.evidence));
    nowMs += 60_001;
    assert.throws(settle(late), code('CHALLENGE_EXPIRED'));
  });

  await t.test(
    'refuses an answer that was given before, right or wrong, and the secret of another challenge',
    async () => {
      const given = await answerOf(own, open(own.evidence));
      challenges.settle('r1', given);
      assert.throws(settle(given), code('CHALLENGE_UNKNOWN'));
      assert.throws(
        settle({ ...(await answerOf(own, open(own.evidence))), secret: given.secret }),
        code('SECRET_MISMATCH'),
      );
      assert.throws(settle(given), code('CHALLENGE_UNKNOWN'));
      open(own.evidence);
      assert.throws(settle(given), code('SECRET_MISMATCH'));
    },
  );

  await t.test('refuses a request for another key, and one that was not signed by its key', async () => {
    const { csrPem } = other.evidence;
    assert.throws(() => open({ ...own.evidence, csrPem }), code('REQUEST_KEY_MISMATCH'));
    const der = readCertificateRequest(own.evidence.csrPem).der;
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const broken = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    assert.throws(() => open({ ...own.evidence, csrPem: broken }), code('REQUEST_SIGNATURE'));
    assert.throws(() => open({ ...own.evidence, csrPem: 'no request' }), code('REQUEST_INVALID'));
  });

  await t.test('refuses another request of the same key than the one that was challenged', async () => {
    const challenge = open(own.evidence);
    const csrPem = await certificateRequest('CN=other-screen', own.key);
    assert.throws(settle(await answerOf(own, challenge, { ...own.evidence, csrPem })), code('ATTEST_NONCE'));
  });

  await t.test('refuses the endorsement certificate of another chip', async () => {
    const { ekCertificate } = other.evidence;
    assert.throws(() => open({ ...own.evidence, ekCertificate }), code('ENDORSEMENT_MISMATCH'));
  });

  await t.test('refuses a chip whose maker is not pinned, or whose certificate is not valid now', () => {
    const strangers = new Challenges(
      { ...trust, authorities: [createAuthority('Stranger').certificatePem] },
      () => nowMs,
    );
    assert.throws(() => strangers.open('r1', own.evidence), code('ENDORSEMENT_UNTRUSTED'));
    for (const at of [0, Date.UTC(2001, 0)]) {
      assert.throws(() => new Challenges(trust, () => at).open('r1', own.evidence), code('ENDORSEMENT_EXPIRED'));
    }
  });

  await t.test('takes a chip without certificate by its hash alone, and no other', async () => {
    const bare = { ...own.evidence, ekCertificate: null };
    assert.throws(() => open(bare), code('ENDORSEMENT_UNTRUSTED'));
    const listed = { authorities: [], endorsementHashes: [endorsementHash(own.evidence.ekPublic)] };
    const known = new Challenges(listed, () => nowMs);
    assert.equal(known.settle('r1', await answerOf(own, known.open('r1', bare))).vouchedBy, 'allow-list');
    assert.throws(() => known.open('r1', { ...other.evidence, ekCertificate: null }), code('ENDORSEMENT_UNTRUSTED'));
  });

  await t.test('repeats nothing of a listed chip that no pinned maker has said', async () => {
    const endorsementHashes = [endorsementHash(own.evidence.ekPublic)];
    for (const [authorities, model] of [
      [[], ''],
      [trust.authorities, 'swtpm'],
    ] as const) {
      const known = new Challenges({ authorities, endorsementHashes }, () => nowMs);
      const identity = known.settle('r1', await answerOf(own, known.open('r1', own.evidence)));
      assert.deepEqual([identity.vouchedBy, identity.model], ['allow-list', model]);
    }
  });

  await t.test('refuses an endorsement key that signs, and structures that do not parse', () => {
    assert.throws(() => open({ ...own.evidence, ekPublic: own.evidence.akPublic }), code('ENDORSEMENT_ATTRIBUTES'));
    const { ekPublic, keyPublic, akPublic } = own.evidence;
    for (const broken of [
      Buffer.alloc(0),
      ekPublic.subarray(1),
      Buffer.concat([keyPublic, Buffer.alloc(1)]),
      Buffer.alloc(300, 0xff),
    ]) {
      for (const name of ['ekPublic', 'akPublic', 'keyPublic']) {
        assert.throws(() => open({ ...own.evidence, [name]: broken }), code('STRUCTURE_INVALID'));
      }
    }
    // A point that is on no curve.
    const off = Buffer.from(akPublic);
    off.writeUInt8(off.readUInt8(off.length - 1) ^ 1, off.length - 1);
    assert.throws(() => open({ ...own.evidence, akPublic: off }), code('STRUCTURE_INVALID'));
    assert.throws(
      () => open({ ...own.evidence, ekCertificate: Buffer.from('30820000', 'hex') }),
      code('STRUCTURE_INVALID'),
    );
  });

  await t.test('refuses what another key has signed, and words that are not a TPM’s about a key', async () => {
    const good = await answerOf(own, open(own.evidence));
    const { certifyInfo, secret } = good;
    const fresh = async () => {
      const challenge = open(own.evidence);
      return answerOf(own, challenge);
    };
    const { certifySignature } = await fresh();
    const current = await own.tpm.activateCredential(own.endorsement.kind, own.attestationPem, open(own.evidence));
    assert.throws(settle({ secret: current, certifyInfo, certifySignature }), code('SIGNATURE_INVALID'));
    assert.ok(secret.length > 0);
  });

  await t.test('refuses what the attestation key has signed and what is no word of a TPM about a key', async () => {
    // As if a TPM's restricted key could be made to sign this: the one part that a software key must stand in for.
    const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const akPublic = withPoint(own.evidence.akPublic, forger.publicKey.export({ format: 'jwk' }));
    const evidence = { ...own.evidence, akPublic };
    const [nonce, secret] = [randomBytes(32), randomBytes(32)];
    const { certifyInfo } = await certified(own, nonce, secret, evidence.csrPem);
    const judged = (attest: Buffer) => {
      const pair = sign('sha256', attest, { key: forger.privateKey, dsaEncoding: 'ieee-p1363' });
      const parts = [
        Buffer.from('0018000b0020', 'hex'),
        pair.subarray(0, 32),
        Buffer.from('0020', 'hex'),
        pair.subarray(32),
      ];
      const given = { secret, certifyInfo: attest, certifySignature: Buffer.concat(parts) };
      return verifyAnswer(evidence, { nonce, secret }, given, trust, nowMs);
    };
    assert.equal(judged(certifyInfo).model, 'swtpm');
    const changed = (at: number, value: number) => {
      const bytes = Buffer.from(certifyInfo);
      bytes.writeUInt16BE(value, at);
      return bytes;
    };
    // TPM_ST_ATTEST_QUOTE, TPM_ST_ATTEST_CREATION, and another magic.
    for (const attest of [changed(4, 0x8018), changed(4, 0x801a), changed(0, 0)])
      assert.throws(() => judged(attest), code('ATTEST_TYPE'));
    assert.throws(() => judged(Buffer.concat([certifyInfo, Buffer.alloc(1)])), code('STRUCTURE_INVALID'));
  });

  await t.test('follows a chain over intermediates to a pinned root, and none that is broken', () => {
    const [rootPem, issuerPem] = [maker.rootPem(), maker.authorityPem()];
    const over = (authorities: string[], intermediates: string[], at = nowMs) =>
      new Challenges({ authorities, intermediates, endorsementHashes: [] }, () => at).open('r1', own.evidence);
    assert.ok(over([rootPem], [issuerPem]));
    assert.throws(() => over([rootPem], []), code('ENDORSEMENT_UNTRUSTED'));
    assert.throws(() => over([], [issuerPem, rootPem]), code('ENDORSEMENT_UNTRUSTED'));
    const stranger = createAuthority('Stranger').certificatePem;
    assert.throws(() => over([stranger], [issuerPem]), code('ENDORSEMENT_UNTRUSTED'));
    assert.throws(() => over([rootPem], [issuerPem], Date.UTC(2001, 0)), code('ENDORSEMENT_EXPIRED'));
  });
});

/** Attested registration against the reference server's calls: every mix of evidence is refused with a code. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, type TestContext, test } from 'node:test';
import { certificateRequest, softwareKey } from 'node-tss';
import { type Answer, type Challenge, type Evidence, endorsementHash } from 'node-tss/attestation';
import type { Backend, BackendOptions } from '../../backend/backend.ts';
import {
  type AttestingDevice,
  answerOf,
  attestingDevice,
  certified,
  withPoint,
} from '../../support/attesting-device.ts';
import { backendFor } from '../../support/backend-fixture.ts';
import { createKey, keyPem } from '../../support/certificates.ts';
import { poll, registrationBody, send } from '../../support/player-client.ts';
import { tpmMaker } from '../../support/tpm-maker.ts';

const maker = tpmMaker();
after(() => maker.remove());

const hostname = 'screen';
const path = '/api/v2/screens/registrations';

/** One server that demands a proof of chips of our maker, and what can be sent to it. */
async function serverFor(t: TestContext, options: Partial<BackendOptions> = {}) {
  const backend = await backendFor(t, { attestation: 'required', registrationsPerMinute: 1_000, ...options });
  return { backend, ...callsOf(backend) };
}

function callsOf(backend: Backend) {
  const post = (at: string, body: unknown, headers = {}) => send(backend, at, { method: 'POST', body, headers });
  const register = async (evidence: Evidence | null) => {
    const body = { ...registrationBody(hostname, evidence?.csrPem ?? ''), tpm: evidence && onWire(evidence) };
    return post(path, body);
  };
  return {
    register,
    /** Register evidence that passes for itself. */
    async challenged(evidence: Evidence) {
      const { status, json } = await register(evidence);
      assert.equal(status, 201, JSON.stringify(json));
      const challenge: Challenge = {
        credentialBlob: Buffer.from(json.challenge.credential_blob, 'base64'),
        encryptedSecret: Buffer.from(json.challenge.encrypted_secret, 'base64'),
        nonce: Buffer.from(json.challenge.nonce, 'base64'),
      };
      return { ...(json as { id: string; pin: string; poll_token: string }), challenge };
    },
    answer: (
      { id, poll_token }: { id: string; poll_token: string },
      { secret, certifyInfo, certifySignature }: Answer,
    ) =>
      post(
        `${path}/${id}/attestation`,
        {
          secret: secret.toString('base64'),
          certify_info: certifyInfo.toString('base64'),
          certify_signature: certifySignature.toString('base64'),
        },
        { authorization: `Bearer ${poll_token}` },
      ),
  };
}

function onWire({ ekCertificate, ekPublic, akPublic, keyPublic }: Evidence) {
  return {
    ek_certificate: ekCertificate?.toString('base64') ?? null,
    ek_public: ekPublic.toString('base64'),
    ak_public: akPublic.toString('base64'),
    key_public: keyPublic.toString('base64'),
  };
}

async function dressedSoftwareKey(own: AttestingDevice): Promise<Evidence> {
  const software = softwareKey(keyPem(createKey().privateKey));
  const jwk = createPublicKey({ key: software.publicKey, format: 'der', type: 'spki' }).export({ format: 'jwk' });
  const csrPem = await certificateRequest(`CN=${hostname}`, software);
  return { ...own.evidence, csrPem, keyPublic: withPoint(own.evidence.keyPublic, jwk) };
}

test('registers what one genuine chip says of one key, and refuses every mix with a code', async (t) => {
  const [own, other] = [await attestingDevice(t, maker, hostname), await attestingDevice(t, maker, hostname)];
  let nowMs = Date.now();
  const { backend, register, challenged, answer } = await serverFor(t, {
    endorsementAuthorities: [maker.authorityPem()],
    challengeLifetimeMs: 60_000,
    now: () => nowMs,
  });

  /** The answer is refused with this code, its registration is over, and its PIN claims nothing. */
  const refused = async (registration: Awaited<ReturnType<typeof challenged>>, given: Answer, code: string) => {
    const reply = await answer(registration, given);
    assert.deepEqual([reply.status, reply.json.error.code], [422, code]);
    assert.equal((await poll(backend, registration)).status, 410);
    assert.throws(() => backend.claim(registration.pin, 'Lobby'), { status: 404 });
  };
  const refusedAtOnce = async (evidence: Evidence | null, code: string) => {
    const before = backend.pending().length;
    const reply = await register(evidence);
    assert.deepEqual([reply.status, reply.json.error.code], [422, code]);
    assert.equal(backend.pending().length, before);
  };

  await t.test('an honest device is shown as verified, and only then can be claimed', async () => {
    const registration = await challenged(own.evidence);
    assert.throws(() => backend.claim(registration.pin, 'Lobby'), { status: 409, code: 'hardware-unverified' });
    const { status, json } = await answer(registration, await answerOf(own, registration.challenge));
    assert.equal(status, 200);
    assert.deepEqual(json.hardware_identity, { verified: true, manufacturer: 'id:00001014', model: 'swtpm' });
    assert.deepEqual(backend.pending()[0]?.hardware_identity, json.hardware_identity);
    assert.deepEqual(backend.claim(registration.pin, 'Lobby').hardware_identity, json.hardware_identity);
    assert.equal((await poll(backend, registration)).json.status, 'issued');
  });

  await t.test('no evidence: attestation-required', async () => {
    const { csrPem } = own.evidence;
    const reply = await send(backend, path, { method: 'POST', body: registrationBody(hostname, csrPem) });
    assert.deepEqual([reply.status, reply.json.error.code], [422, 'attestation-required']);
  });

  await t.test('attestation key of another TPM: secret-mismatch', async () => {
    const mixed = { ...own.evidence, akPublic: other.evidence.akPublic };
    const registration = await challenged(mixed);
    const guess = await certified(other, registration.challenge.nonce, randomBytes(32), mixed.csrPem);
    await assert.rejects(answerOf(own, registration.challenge, mixed), { code: 'CREDENTIAL_REFUSED' });
    await assert.rejects(answerOf(other, registration.challenge, mixed), { code: /CREDENTIAL_REFUSED|TPM_FAILED/ });
    await refused(registration, guess, 'secret-mismatch');
  });

  await t.test('software attestation key beside a real endorsement key: secret-mismatch', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = { ...own.evidence, akPublic: withPoint(own.evidence.akPublic, publicKey.export({ format: 'jwk' })) };
    const registration = await challenged(forged);
    const guess = await certified(own, registration.challenge.nonce, randomBytes(32), forged.csrPem);
    await refused(registration, guess, 'secret-mismatch');
  });

  await t.test('attestation key that signs anything: attestation-key-attributes', () =>
    refusedAtOnce({ ...own.evidence, akPublic: own.evidence.keyPublic }, 'attestation-key-attributes'),
  );

  await t.test('key that is not fixedTPM: key-attributes; dressed up as one that is: attest-name', async () => {
    const movable = Buffer.from(own.evidence.keyPublic);
    movable.writeUInt32BE(movable.readUInt32BE(6) & ~0x12, 6);
    await refusedAtOnce({ ...own.evidence, keyPublic: movable }, 'key-attributes');
    const dressed = await dressedSoftwareKey(own);
    const registration = await challenged(dressed);
    await refused(registration, await answerOf(own, registration.challenge, dressed), 'attest-name');
  });

  await t.test('certification of another key: attest-name', async () => {
    const second = await own.tpm.loadKey(await own.tpm.createKey());
    const registration = await challenged(own.evidence);
    await refused(registration, await answerOf(own, registration.challenge, own.evidence, second), 'attest-name');
  });

  await t.test('nonce of before: attest-nonce', async () => {
    const earlier = await challenged(own.evidence);
    const registration = await challenged(own.evidence);
    const secret = await own.tpm.activateCredential(own.endorsement.kind, own.attestationPem, registration.challenge);
    const stale = await certified(own, earlier.challenge.nonce, secret, own.evidence.csrPem);
    await refused(registration, stale, 'attest-nonce');
  });

  await t.test('secret of another challenge: secret-mismatch; the same answer twice: challenge-unknown', async () => {
    const first = await challenged(own.evidence);
    const given = await answerOf(own, first.challenge);
    assert.equal((await answer(first, given)).status, 200);
    const again = await answer(first, given);
    assert.deepEqual([again.status, again.json.error.code], [422, 'challenge-unknown']);
    // A replay takes nothing from the registration that was proved.
    assert.equal((await poll(backend, first)).json.status, 'pending');
    const second = await challenged(own.evidence);
    const mixed = { ...(await answerOf(own, second.challenge)), secret: given.secret };
    await refused(second, mixed, 'secret-mismatch');
  });

  await t.test('answer of one registration for another: secret-mismatch', async () => {
    const [mine, theirs] = [await challenged(own.evidence), await challenged(other.evidence)];
    await refused(theirs, await answerOf(own, mine.challenge), 'secret-mismatch');
  });

  await t.test('answer with the poll token of another registration: 401', async () => {
    const [mine, theirs] = [await challenged(own.evidence), await challenged(other.evidence)];
    const reply = await answer({ ...mine, poll_token: theirs.poll_token }, await answerOf(own, mine.challenge));
    assert.deepEqual([reply.status, reply.json.error.code], [401, 'poll-token-invalid']);
  });

  await t.test('request for another key: request-key-mismatch', () =>
    refusedAtOnce({ ...own.evidence, csrPem: other.evidence.csrPem }, 'request-key-mismatch'),
  );

  await t.test('another request of the same key than the challenged one: attest-nonce', async () => {
    const registration = await challenged(own.evidence);
    const csrPem = await certificateRequest('CN=another-screen', own.key);
    const given = await answerOf(own, registration.challenge, { ...own.evidence, csrPem });
    await refused(registration, given, 'attest-nonce');
  });

  await t.test('endorsement certificate of another chip: endorsement-mismatch', () =>
    refusedAtOnce({ ...own.evidence, ekCertificate: other.evidence.ekCertificate }, 'endorsement-mismatch'),
  );

  await t.test('chip without certificate that is on no list: endorsement-untrusted', () =>
    refusedAtOnce({ ...own.evidence, ekCertificate: null }, 'endorsement-untrusted'),
  );

  await t.test('signature of another attestation: signature-invalid', async () => {
    const first = await challenged(own.evidence);
    const { certifySignature } = await answerOf(own, first.challenge);
    const second = await challenged(own.evidence);
    await refused(second, { ...(await answerOf(own, second.challenge)), certifySignature }, 'signature-invalid');
  });

  await t.test('structures that do not parse: structure-invalid; what is no base64: body-invalid', async () => {
    await refusedAtOnce({ ...own.evidence, ekPublic: Buffer.alloc(300, 0xff) }, 'structure-invalid');
    const registration = await challenged(own.evidence);
    const good = await answerOf(own, registration.challenge);
    await refused(registration, { ...good, certifyInfo: good.certifyInfo.subarray(1) }, 'signature-invalid');
    const body = {
      ...registrationBody(hostname, own.evidence.csrPem),
      tpm: { ...onWire(own.evidence), ek_public: '*' },
    };
    const reply = await send(backend, path, { method: 'POST', body });
    assert.deepEqual([reply.status, reply.json.error.code], [422, 'body-invalid']);
  });

  await t.test('answer that comes too late: challenge-expired', async () => {
    const registration = await challenged(own.evidence);
    const late = await answerOf(own, registration.challenge);
    nowMs += 60_001;
    await refused(registration, late, 'challenge-expired');
  });
});

test('a server that prefers a proof registers without one, and says why', async (t) => {
  const own = await attestingDevice(t, maker, hostname);
  const { backend, register, challenged, answer } = await serverFor(t, {
    attestation: 'preferred',
    endorsementHashes: [endorsementHash(own.evidence.ekPublic)],
  });
  const strange = await register({ ...own.evidence, ekPublic: own.evidence.akPublic });
  assert.deepEqual([strange.status, strange.json.challenge], [201, null]);
  assert.deepEqual(strange.json.hardware_identity, { verified: false, code: 'endorsement-attributes' });
  const registration = await challenged(own.evidence);
  const wrong = await certified(own, registration.challenge.nonce, randomBytes(32), own.evidence.csrPem);
  const { status, json } = await answer(registration, wrong);
  assert.deepEqual([status, json.hardware_identity], [200, { verified: false, code: 'secret-mismatch' }]);
  const screen = backend.claim(registration.pin, 'Lobby');
  assert.deepEqual(screen.hardware_identity, { verified: false, code: 'secret-mismatch' });
  const listed = await challenged({ ...own.evidence, ekCertificate: null });
  const reply = await answer(listed, await answerOf(own, listed.challenge));
  assert.deepEqual(reply.json.hardware_identity, { verified: true, manufacturer: '', model: '' });
});

test('a server whose policy is off asks for nothing', async (t) => {
  const own = await attestingDevice(t, maker, hostname);
  const { register, backend } = await serverFor(t, { attestation: 'off' });
  const { json } = await register(own.evidence);
  assert.deepEqual([json.challenge, json.hardware_identity], [null, null]);
  assert.equal(backend.pending()[0]?.hardware_identity, null);
});

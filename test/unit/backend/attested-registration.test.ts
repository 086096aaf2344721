/** Attested registration against the reference server's calls: every mix of evidence is refused with a code. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, type TestContext, test } from 'node:test';
import { certificateRequest, publicAreaOf, softwareKey, undiciConnector } from 'node-tss';
import { type Answer, type Challenge, type Evidence, endorsementHash, readPublicArea } from 'node-tss/attestation';
import { Agent } from 'undici';
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
import { chainRoot, endorsementExtensions, type Wording } from '../../support/endorsement-chain.ts';
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
      return { ...(json as { id: string; pin: string; poll_token: string }), challenge: challengeOf(json.challenge) };
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

function answerOnWire({ secret, certifyInfo, certifySignature }: Answer) {
  return {
    secret: secret.toString('base64'),
    certify_info: certifyInfo.toString('base64'),
    certify_signature: certifySignature.toString('base64'),
  };
}

function challengeOf(sent: { credential_blob: string; encrypted_secret: string; nonce: string }): Challenge {
  return {
    credentialBlob: Buffer.from(sent.credential_blob, 'base64'),
    encryptedSecret: Buffer.from(sent.encrypted_secret, 'base64'),
    nonce: Buffer.from(sent.nonce, 'base64'),
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
  const careless = chainRoot(t);
  const { backend, register, challenged, answer } = await serverFor(t, {
    endorsementAuthorities: [maker.authorityPem(), careless.pem],
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

  await t.test('certificates that break a rule: endorsement-purpose, -chain, -expired', async () => {
    // Certificates that are made now begin now.
    nowMs = Date.now() + 10_000;
    const { publicKey } = readPublicArea(own.evidence.ekPublic);
    const publicKeyPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const written = (wording: Wording) => ({
      ...own.evidence,
      ekCertificate: careless.endorse(publicKeyPem, wording),
    });
    await challenged(written({}));
    const extensions = endorsementExtensions.filter((line) => !line.startsWith('extendedKeyUsage'));
    await refusedAtOnce(written({ extensions }), 'endorsement-purpose');
    const unknown = [...endorsementExtensions, '1.2.3.4=critical,DER:0500'];
    await refusedAtOnce(written({ extensions: unknown }), 'endorsement-chain');
    await refusedAtOnce(written({ days: -1 }), 'endorsement-expired');
  });

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

/** A screen whose hardware is verified, and its calls over mutual TLS. */
async function verifiedScreen(t: TestContext, options: Partial<BackendOptions> = {}) {
  const own = await attestingDevice(t, maker, hostname);
  const authorities = { endorsementAuthorities: [maker.authorityPem()] };
  const { backend, challenged, answer, register } = await serverFor(t, { ...authorities, ...options });
  const enrol = async (device: AttestingDevice) => {
    const registration = await challenged(device.evidence);
    await answer(registration, await answerOf(device, registration.challenge));
    return registration;
  };
  const registration = await enrol(own);
  const { id } = backend.claim(registration.pin, 'Lobby');
  return {
    own,
    backend,
    enrol,
    register,
    id,
    certificate: (await poll(backend, registration)).json.certificate as string,
  };
}

test('a known chip with its known key is readmitted without an operator, and nothing else is', async (t) => {
  let laterMs = 0;
  const screen = await verifiedScreen(t, { readmits: true, now: () => Date.now() + laterMs });
  const { own, backend, enrol, id } = screen;
  laterMs += 366 * 86_400_000;
  const again = await enrol(own);
  const reply = (await poll(backend, again)).json;
  assert.deepEqual([reply.status, reply.screen.id], ['issued', id]);
  assert.equal(backend.screens().length, 1);

  await t.test('not another key of the same chip', async () => {
    const keyFile = await own.tpm.createKey();
    const key = await own.tpm.loadKey(keyFile);
    const csrPem = await certificateRequest(`CN=${hostname}`, key);
    const other = { ...own, key, evidence: { ...own.evidence, csrPem, keyPublic: publicAreaOf(keyFile) } };
    assert.equal((await poll(backend, await enrol(other))).json.status, 'pending');
  });
  await t.test('not another chip', async () => {
    const stranger = await attestingDevice(t, maker, hostname);
    assert.equal((await poll(backend, await enrol(stranger))).json.status, 'pending');
  });
  await t.test('not a screen that was revoked, also when its certificates are long gone', async () => {
    backend.revoke(id);
    laterMs += 366 * 86_400_000;
    assert.equal((await poll(backend, await enrol(own))).json.status, 'pending');
  });
});

test('a removed screen is not readmitted, nor is any where the policy wants an operator', async (t) => {
  const removed = await verifiedScreen(t, { readmits: true });
  removed.backend.remove(removed.id);
  assert.equal((await poll(removed.backend, await removed.enrol(removed.own))).json.status, 'pending');
  const asked = await verifiedScreen(t);
  assert.equal((await poll(asked.backend, await asked.enrol(asked.own))).json.status, 'pending');
});

test('another key of a verified screen must be in the same chip, certified by the same attestation key', async (t) => {
  const { own, backend, certificate } = await verifiedScreen(t);
  // The server takes its clients by TLS: here the key is in the chip, so the calls go over the addon.
  const call = async (at: string, body: object) => {
    const connect = undiciConnector({
      credentials: async () => ({
        ca: readFileSync(backend.caFile, 'utf8'),
        identity: { key: own.key, certificateChain: certificate },
      }),
    });
    const agent = new Agent({ connect });
    const headers = { 'content-type': 'application/json' };
    const { origin } = backend;
    const reply = await agent.request({ origin, path: at, method: 'POST', headers, body: JSON.stringify(body) });
    const json = (await reply.body.json()) as {
      id: string;
      certificate: string;
      challenge: Parameters<typeof challengeOf>[0];
      error?: { code: string };
    };
    await agent.close();
    return { status: reply.statusCode, json, code: json.error?.code };
  };
  const renewal = '/api/v2/screens/certificate';
  const nextOf = async (device: AttestingDevice) => {
    const keyFile = await device.tpm.createKey();
    const key = await device.tpm.loadKey(keyFile);
    const csrPem = await certificateRequest(`CN=${hostname}`, key);
    return { ...device, key, evidence: { ...device.evidence, csrPem, keyPublic: publicAreaOf(keyFile) } };
  };
  const prove = async (device: AttestingDevice) => {
    const { status, json } = await call(renewal, { csr: device.evidence.csrPem, tpm: onWire(device.evidence) });
    assert.equal(status, 202, JSON.stringify(json));
    const given = await answerOf(device, challengeOf(json.challenge));
    return { id: json.id, ...answerOnWire(given) };
  };

  const next = await nextOf(own);
  await t.test('no proof: attestation-required; a software key: key-attributes', async () => {
    assert.deepEqual((await call(renewal, { csr: next.evidence.csrPem })).code, 'attestation-required');
    const software = await dressedSoftwareKey(own);
    const movable = Buffer.from(software.keyPublic);
    movable.writeUInt32BE(movable.readUInt32BE(6) & ~0x12, 6);
    const body = { csr: software.csrPem, tpm: onWire({ ...software, keyPublic: movable }) };
    assert.deepEqual((await call(renewal, body)).code, 'key-attributes');
  });
  await t.test('another chip: endorsement-changed; another attestation key: attestation-key-changed', async () => {
    const stranger = await nextOf(await attestingDevice(t, maker, hostname));
    assert.equal((await call(`${renewal}/attestation`, await prove(stranger))).code, 'endorsement-changed');
    const attestation = await own.tpm.createAttestationKey();
    const evidence = { ...next.evidence, akPublic: attestation.publicArea };
    const others = { ...next, attestationPem: attestation.pem, evidence };
    assert.equal((await call(`${renewal}/attestation`, await prove(others))).code, 'attestation-key-changed');
  });
  await t.test('the same chip and attestation key: a certificate; the answer again: challenge-unknown', async () => {
    const proof = await prove(next);
    const { status, json } = await call(`${renewal}/attestation`, proof);
    assert.equal(status, 200);
    const spki = new X509Certificate(json.certificate).publicKey.export({ type: 'spki', format: 'der' });
    assert.ok(spki.equals(next.key.publicKey));
    assert.equal((await call(`${renewal}/attestation`, proof)).code, 'challenge-unknown');
  });
  await t.test('the present key needs no proof', async () => {
    assert.equal((await call(renewal, { csr: own.evidence.csrPem })).status, 200);
  });
});

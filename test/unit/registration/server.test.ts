import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { attest, poll, type RegistrationTransport, register } from '../../../electron/registration/server.ts';

type Request = Parameters<RegistrationTransport['call']>[0];

function serverThatAnswers(status: number, body: unknown) {
  const requests: Request[] = [];
  const transport: RegistrationTransport = {
    call: async (request) => {
      requests.push(request);
      return { status, json: () => body };
    },
  };
  return { transport, requests };
}

const fingerprint = '0123456789abcdef'.repeat(4);
const ask = {
  csr: 'CSR',
  hostname: 'screen-1',
  hardware: { manufacturer: 'ACME', model: 'Box', serial: '1', arch: 'x64' },
  playerVersion: '1.0.0',
  fingerprint,
  evidence: null,
};
const accepted = {
  id: '01JD0000000000000000000000',
  pin: 'K7Q4M2',
  fingerprint,
  expires_at: '2026-11-22T12:15:00Z',
  poll_interval: 2.5,
  poll_token: 'a-secret-of-32-characters-or-more',
  challenge: null,
};
const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const issued = { status: 'issued', certificate: pem, chain: [pem], screen: { id: 's1', name: 'Lobby' } };

const register1 = (status: number, body: unknown) => register(serverThatAnswers(status, body).transport, ask);
const poll1 = (status: number, body: unknown) => poll(serverThatAnswers(status, body).transport, 'r1', 'ticket');
const without = (name: string) => Object.fromEntries(Object.entries(accepted).filter(([key]) => key !== name));

test('refuses a reply that names another key than ours', async () => {
  await assert.rejects(register1(201, { ...accepted, fingerprint: 'f'.repeat(64) }), { code: 'SERVER_REPLY_INVALID' });
});

for (const [name, body] of [
  ['nothing', null],
  ['a list', [accepted]],
  ['no id', without('id')],
  ['an id that leads elsewhere', { ...accepted, id: '../screens' }],
  ['an id that is empty', { ...accepted, id: '' }],
  ['an id that is too long', { ...accepted, id: 'x'.repeat(65) }],
  ['a PIN with letters that look like digits', { ...accepted, pin: 'K7Q4O0' }],
  ['a PIN in small letters', { ...accepted, pin: 'k7q4m2' }],
  ['a PIN that is too long', { ...accepted, pin: 'K7Q4M22' }],
  ['a fingerprint in capitals', { ...accepted, fingerprint: fingerprint.toUpperCase() }],
  ['an instant that is none', { ...accepted, expires_at: 'soon' }],
  ['an instant without a zone', { ...accepted, expires_at: '2026-11-22T12:15:00' }],
  ['a poll interval of nothing', { ...accepted, poll_interval: 0 }],
  ['a poll interval of years', { ...accepted, poll_interval: 1e9 }],
  ['a poll interval as a text', { ...accepted, poll_interval: '5' }],
  ['a ticket that can be guessed', { ...accepted, poll_token: 'short' }],
  ['a ticket that would break the header', { ...accepted, poll_token: 'a-secret-of-32-characters\r\nX: y' }],
] as const)
  test(`refuses a registration reply with ${name}`, async () => {
    await assert.rejects(register1(201, body), { code: 'SERVER_REPLY_INVALID' });
  });

for (const [name, body] of [
  ['nothing', undefined],
  ['a status that nobody knows', { status: 'constructor' }],
  ['a certificate that is none', { ...issued, certificate: 'hello' }],
  ['a private key for a certificate', { ...issued, certificate: pem.replaceAll('CERTIFICATE', 'PRIVATE KEY') }],
  ['two certificates in one', { ...issued, certificate: pem + pem }],
  ['a certificate that is too long', { ...issued, certificate: pem.replace('MIIB', 'A'.repeat(16_384)) }],
  ['a chain without end', { ...issued, chain: Array(9).fill(pem) }],
  ['no chain', { ...issued, chain: null }],
  ['no screen', { ...issued, screen: null }],
  ['a screen with an endless name', { ...issued, screen: { id: 's1', name: 'x'.repeat(201) } }],
] as const)
  test(`refuses a poll reply with ${name}`, async () => {
    await assert.rejects(poll1(200, body), { code: 'SERVER_REPLY_INVALID' });
  });

test('no word of a refused reply is repeated in the error', async () => {
  const body = { ...accepted, poll_interval: 'K7Q4M2', pin: 'HUSH', poll_token: 'HUSH\n' };
  await assert.rejects(register1(201, body), (thrown: Error) => !/HUSH|K7Q4M2/.test(thrown.message));
});

for (const [status, code] of [
  [200, 'REGISTRATION_REFUSED'],
  [400, 'REGISTRATION_REFUSED'],
  [404, 'REGISTRATION_REFUSED'],
  [408, 'SERVER_ERROR'],
  [429, 'SERVER_ERROR'],
  [500, 'SERVER_ERROR'],
  [503, 'SERVER_ERROR'],
] as const)
  test(`a registration answered with ${status} is ${code}, whatever the body says`, async () => {
    await assert.rejects(register1(status, accepted), { code });
  });

test('a poll that is refused is an error, and not an expired registration', async () => {
  for (const status of [201, 401, 403]) await assert.rejects(poll1(status, issued), { code: 'REGISTRATION_REFUSED' });
  await assert.rejects(poll1(502, issued), { code: 'SERVER_ERROR' });
});

test('a server that has forgotten the registration makes it expired', async () => {
  for (const status of [404, 410]) assert.deepEqual(await poll1(status, issued), { status: 'expired' });
});

test('a transport that fails is heard as it is', async () => {
  const away = new PlayerError('CONNECTION_FAILED', 'away');
  const transport: RegistrationTransport = { call: () => Promise.reject(away) };
  await assert.rejects(register(transport, ask), away);
  await assert.rejects(poll(transport, 'r1', 'ticket'), away);
});

test('sends the request and what the board says of itself, and keeps what is needed of the reply', async () => {
  const { transport, requests } = serverThatAnswers(201, accepted);
  assert.deepEqual(await register(transport, ask), {
    accepted: {
      id: accepted.id,
      pin: 'K7Q4M2',
      ticket: accepted.poll_token,
      expiresAtMs: Date.UTC(2026, 10, 22, 12, 15),
      pollIntervalMs: 2_500,
      hardware: null,
    },
    challenge: null,
  });
  assert.equal(requests[0]?.path, '/api/v2/screens/registrations');
  assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), {
    csr: 'CSR',
    hostname: 'screen-1',
    hardware: ask.hardware,
    software: { player: '1.0.0' },
  });
});

test('polls with the ticket, and the ticket is nowhere but in its header', async () => {
  const { transport, requests } = serverThatAnswers(200, { status: 'pending' });
  assert.deepEqual(await poll(transport, 'a/b?c', 'the-ticket'), { status: 'pending' });
  assert.deepEqual(requests, [
    {
      method: 'GET',
      path: '/api/v2/screens/registrations/a%2Fb%3Fc',
      headers: { authorization: 'Bearer the-ticket' },
    },
  ]);
});

test('understands denied and issued', async () => {
  assert.deepEqual(await poll1(200, { status: 'denied', reason: 'x' }), { status: 'denied' });
  assert.deepEqual(await poll1(200, issued), {
    status: 'issued',
    issued: { certificate: pem, chain: [pem], screenId: 's1', screenName: 'Lobby' },
  });
});

const chip = { verified: true, manufacturer: 'IFX', model: 'SLB9672' };
const challenge = { credential_blob: 'Y3JlZA==', encrypted_secret: 'c2VlZA==', nonce: 'bm9uY2U=' };
const evidence = { ek_certificate: null, ek_public: 'ZWs=', ak_public: 'YWs=', key_public: 'a2V5' };
const answer = { secret: 'cw==', certify_info: 'aQ==', certify_signature: 'Zw==' };
const attest1 = (status: number, body: unknown) =>
  attest(serverThatAnswers(status, body).transport, { id: 'r1', ticket: 'the-ticket' }, answer);
const refusedFor = (code: string) => ({ error: { code, message: 'x' } });

test('sends evidence where there is some, and hands on the challenge', async () => {
  const { transport, requests } = serverThatAnswers(201, { ...accepted, challenge });
  const opened = await register(transport, { ...ask, evidence });
  assert.deepEqual(opened.challenge, challenge);
  const { tpm } = JSON.parse(requests[0]?.body ?? '') as { tpm: unknown };
  assert.deepEqual(tpm, evidence);
});

test('answers with the ticket, and hears what the server makes of the hardware', async () => {
  const { transport, requests } = serverThatAnswers(200, { hardware_identity: chip });
  assert.deepEqual(await attest(transport, { id: 'r1', ticket: 'the-ticket' }, answer), chip);
  assert.equal(requests[0]?.path, '/api/v2/screens/registrations/r1/attestation');
  assert.equal(requests[0]?.headers?.['authorization'], 'Bearer the-ticket');
  assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), answer);
  assert.equal(await attest1(204, null), null);
});

for (const [code, wanted] of [
  ['attestation-required', 'ATTESTATION_REQUIRED'],
  ['endorsement-untrusted', 'ATTESTATION_REFUSED'],
  ['challenge-expired', 'SERVER_ERROR'],
  ['challenge-unknown', 'SERVER_ERROR'],
  ['csr-signature', 'REGISTRATION_REFUSED'],
] as const)
  test(`takes a refusal for ${code} as ${wanted}`, async () => {
    await assert.rejects(register1(422, refusedFor(code)), { code: wanted });
    await assert.rejects(attest1(422, refusedFor(code)), { code: wanted });
  });

test('refuses a word about the hardware that is none', async () => {
  for (const hardware_identity of [
    { verified: true },
    { ...chip, model: 'a\u202eb' },
    { verified: false, code: 'A B' },
  ])
    await assert.rejects(attest1(200, { hardware_identity }), { code: 'SERVER_REPLY_INVALID' });
});

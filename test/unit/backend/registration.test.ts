import assert from 'node:assert/strict';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { backendFor } from '../../support/backend-fixture.ts';
import { createRequest } from '../../support/certificate-requests.ts';
import { createKey } from '../../support/certificates.ts';
import { poll, register, registrationBody, send } from '../../support/player-client.ts';

const path = '/api/v2/screens/registrations';
const lifetimeMs = 900_000;

test('refuses a request that another key has signed', async (t) => {
  const backend = await backendFor(t);
  const forged = createRequest('srly-a', createKey().privateKey, createKey().publicKey);
  const reply = await send(backend, path, { method: 'POST', body: registrationBody('srly-a', forged) });
  assert.equal(reply.status, 422);
  assert.equal(reply.json.error.code, 'csr-signature');
  assert.equal(backend.pending().length, 0);
});

test('refuses requests that are no P-256 PKCS#10 for the hostname', async (t) => {
  const backend = await backendFor(t);
  const good = createRequest('srly-a', createKey().privateKey);
  const cases: [string, string, string][] = [
    ['srly-b', good, 'csr-subject'],
    ['SRLY-A', createRequest('SRLY-A', createKey().privateKey), 'hostname-invalid'],
    ['srly_a', createRequest('srly_a', createKey().privateKey), 'hostname-invalid'],
    ['srly-a', 'not PEM', 'csr-invalid'],
    ['srly-a', good.replace(/\n[A-Za-z0-9+/]{64}\n/, '\n'), 'csr-invalid'],
    ['srly-a', `${good}${good}`, 'csr-invalid'],
  ];
  for (const [hostname, csr, code] of cases) {
    const reply = await send(backend, path, { method: 'POST', body: registrationBody(hostname, csr) });
    assert.deepEqual([reply.status, reply.json.error.code], [422, code], `${hostname} ${code}`);
  }
});

test('refuses bodies that are incomplete, too large or of another type', async (t) => {
  const backend = await backendFor(t);
  const incomplete = await send(backend, path, { method: 'POST', body: { hostname: 'srly-a' } });
  assert.deepEqual([incomplete.status, incomplete.json.error.code], [422, 'body-invalid']);
  const large = await send(backend, path, { method: 'POST', body: { csr: 'x'.repeat(40_000) } });
  assert.equal(large.status, 413);
  const headers = { 'content-type': 'text/plain' };
  assert.equal((await send(backend, path, { method: 'POST', body: {}, headers })).status, 415);
});

test('refuses more registrations in a minute than are allowed, until the minute is over', async (t) => {
  let nowMs = Date.now();
  const backend = await backendFor(t, { registrationsPerMinute: 2, now: () => nowMs });
  assert.equal((await register(backend)).reply.status, 201);
  assert.equal((await register(backend)).reply.status, 201);
  const { reply } = await register(backend);
  assert.equal(reply.status, 429);
  assert.equal(reply.headers['retry-after'], '60');
  nowMs += 60_000;
  assert.equal((await register(backend)).reply.status, 201);
});

test('refuses to tell anything for another poll token', async (t) => {
  const backend = await backendFor(t);
  const mine = await register(backend);
  const other = await register(backend, 'srly-other');
  assert.equal((await poll(backend, { id: mine.id, poll_token: other.poll_token })).status, 401);
  assert.equal((await send(backend, `${path}/${mine.id}`)).status, 401);
});

test('answers an expired registration with 410 and its PIN with 404', async (t) => {
  let nowMs = Date.now();
  const backend = await backendFor(t, { now: () => nowMs });
  const registration = await register(backend);
  nowMs += lifetimeMs - 1;
  assert.deepEqual((await poll(backend, registration)).json, { status: 'pending' });
  nowMs += 1;
  assert.equal((await poll(backend, registration)).status, 410);
  assert.throws(() => backend.claim(registration.pin, 'Lobby'), { status: 404 });
  assert.equal(backend.pending().length, 0);
});

test('ends the earlier registration of the same key', async (t) => {
  const backend = await backendFor(t);
  const { privateKey } = createKey();
  const body = registrationBody('srly-a', createRequest('srly-a', privateKey));
  const first = await send(backend, path, { method: 'POST', body });
  const second = await send(backend, path, { method: 'POST', body });
  assert.equal((await poll(backend, first.json)).status, 410);
  assert.throws(() => backend.claim(first.json.pin, 'Lobby'), { status: 404 });
  assert.deepEqual((await poll(backend, second.json)).json, { status: 'pending' });
});

test('tells a denied player so', async (t) => {
  const backend = await backendFor(t);
  const registration = await register(backend);
  backend.deny(registration.pin);
  assert.deepEqual((await poll(backend, registration)).json, { status: 'denied' });
  assert.throws(() => backend.claim(registration.pin, 'Lobby'), { status: 404 });
});

test('gives a PIN, the fingerprint of the key, and after the claim a client certificate for that key', async (t) => {
  const backend = await backendFor(t, { certificateLifetimeSeconds: 3600 });
  const registration = await register(backend);
  const { json, status } = registration.reply;
  const spki = createPublicKey(registration.privateKey).export({ type: 'spki', format: 'der' });
  assert.equal(status, 201);
  assert.match(json.pin, /^[A-HJ-NP-Z2-9]{6}$/);
  assert.equal(json.fingerprint, createHash('sha256').update(spki).digest('hex'));
  assert.equal(json.challenge, null);
  assert.equal(json.poll_interval, 5);

  backend.claim(registration.pin.toLowerCase(), 'Lobby', 'Europe/London');
  const issued = (await poll(backend, registration)).json;
  assert.equal(issued.status, 'issued');
  assert.equal(issued.screen.name, 'Lobby');
  const certificate = new X509Certificate(issued.certificate);
  const authority = new X509Certificate(readFileSync(backend.caFile));
  assert.equal(certificate.subject, `CN=${registration.hostname}`);
  assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
  assert.ok(certificate.checkPrivateKey(registration.privateKey));
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.equal(certificate.ca, false);
  assert.ok(Math.abs(Date.parse(certificate.validTo) - Date.now() - 3_600_000) < 60_000);
  assert.deepEqual(issued.chain, [readFileSync(backend.caFile, 'utf8')]);
});

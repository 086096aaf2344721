import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { backendFor, registeredScreen } from '../../support/backend-fixture.ts';
import { createRequest } from '../../support/certificate-requests.ts';
import { createAuthority, createKey } from '../../support/certificates.ts';
import { poll, register, send } from '../../support/player-client.ts';

const playlist = '/api/v2/screens/playlist';

test('refuses every call of a screen without a client certificate', async (t) => {
  const backend = await backendFor(t);
  const media = backend.addMedia('a.png', Buffer.from('bytes'));
  for (const path of [playlist, '/api/v2/screens/events', `/media/${media.sha256}`]) {
    const reply = await send(backend, path);
    assert.deepEqual([reply.status, reply.json.error.code], [401, 'certificate-required'], path);
  }
  const renewal = await send(backend, '/api/v2/screens/certificate', { method: 'POST', body: { csr: '' } });
  assert.equal(renewal.status, 401);
  assert.ok(backend.requests.every((request) => !request.authorized));
});

test('refuses a certificate of another authority with the same name', async (t) => {
  const backend = await backendFor(t);
  const { privateKey, publicKey } = createKey();
  const impostor = createAuthority('Signet reference server CA').issue({
    commonName: 'srly-a',
    publicKey,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    purposes: ['clientAuth'],
  });
  const reply = await send(backend, playlist, { identity: { privateKey, certificatePem: impostor.pem } });
  assert.deepEqual([reply.status, reply.json.error.code], [401, 'certificate-invalid']);
});

test('refuses a certificate after its end', async (t) => {
  let nowMs = Date.now();
  const backend = await backendFor(t, { now: () => nowMs, certificateLifetimeSeconds: 3600 });
  const { identity } = await registeredScreen(backend);
  assert.equal((await send(backend, playlist, { identity })).status, 200);
  nowMs += 3_601_000;
  const reply = await send(backend, playlist, { identity });
  assert.deepEqual([reply.status, reply.json.error.code], [401, 'certificate-expired']);
});

test('refuses a revoked screen with 403 and a removed one with 410', async (t) => {
  const backend = await backendFor(t);
  const revoked = await registeredScreen(backend, 'srly-revoked');
  const registration = await register(backend, 'srly-removed');
  const screen = backend.claim(registration.pin, 'Lobby');
  const { json } = await poll(backend, registration);
  const identity = { privateKey: registration.privateKey, certificatePem: json.certificate };
  backend.revoke(revoked.id);
  backend.remove(screen.id);
  assert.equal((await send(backend, playlist, { identity: revoked.identity })).status, 403);
  assert.equal((await send(backend, playlist, { identity })).status, 410);
  assert.equal((await poll(backend, registration)).status, 410);
});

test('refuses to renew for another hostname or with a forged request', async (t) => {
  const backend = await backendFor(t);
  const { identity, hostname } = await registeredScreen(backend);
  const renew = (csr: string) =>
    send(backend, '/api/v2/screens/certificate', { method: 'POST', identity, body: { csr } });
  assert.equal((await renew(createRequest('srly-other', identity.privateKey))).status, 422);
  assert.equal((await renew(createRequest(hostname, identity.privateKey, createKey().publicKey))).status, 422);
});

test('renews for the same key and for a new one, while the present certificate stays valid', async (t) => {
  const backend = await backendFor(t);
  const { identity, hostname } = await registeredScreen(backend);
  for (const privateKey of [identity.privateKey, createKey().privateKey]) {
    const body = { csr: createRequest(hostname, privateKey) };
    const { status, json } = await send(backend, '/api/v2/screens/certificate', { method: 'POST', identity, body });
    assert.equal(status, 200);
    assert.ok(new X509Certificate(json.certificate).checkPrivateKey(privateKey));
    const next = { privateKey, certificatePem: json.certificate };
    assert.equal((await send(backend, playlist, { identity: next })).status, 200);
  }
  assert.equal((await send(backend, playlist, { identity })).status, 200);
});

test('answers 304 until the content or the deadline changes', async (t) => {
  let nowMs = Date.now();
  const backend = await backendFor(t, { now: () => nowMs });
  const { identity, id } = await registeredScreen(backend);
  const get = (etag = '') => send(backend, playlist, { identity, headers: { 'if-none-match': etag } });
  const first = await get();
  const etag = String(first.headers.etag);
  assert.equal(first.status, 200);
  assert.match(etag, /^"[0-9a-f]{64}"$/);
  assert.equal(first.json.now, new Date(nowMs).toISOString());
  assert.equal(first.json.deadline, new Date(nowMs + 300_000).toISOString());
  assert.equal(first.json.screen.id, id);
  assert.equal(first.json.screen.timezone, 'Europe/London');

  nowMs += 1_000;
  const same = await get(etag);
  assert.deepEqual([same.status, same.bytes.length, same.headers.etag], [304, 0, etag]);
  nowMs += 300_000;
  assert.equal((await get(etag)).status, 200);

  backend.setPlaylist({ playlists: [] });
  const changed = await get(etag);
  assert.equal(changed.status, 200);
  assert.equal(changed.json.version, first.json.version + 1);
  assert.deepEqual(changed.json.playlists, []);
  backend.setPlaylist({ rawBody: '{"playlists":' });
  assert.equal((await get(etag)).bytes.toString(), '{"playlists":');
});

test('the sample playlist names media that the server serves with the digests it names', async (t) => {
  const backend = await backendFor(t);
  const { identity } = await registeredScreen(backend);
  const { json } = await send(backend, playlist, { identity });
  const [lobby, office] = json.playlists;
  assert.equal(lobby.title, 'Signet lobby');
  assert.equal(lobby.predicate, 'TRUE');
  assert.match(office.predicate, /\$WEEKDAY IN .* AND \$TIME BETWEEN/);
  const kinds = lobby.items.map((item: { asset: { type: string } }) => item.asset.type);
  assert.deepEqual(kinds, ['image', 'video', 'image', 'video', 'image']);
  for (const { asset } of lobby.items) {
    const { bytes } = await send(backend, asset.asset_url, { identity });
    assert.equal(bytes.length, asset.size, asset.title);
  }
});

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backendFor, registeredScreen, temporaryFolder } from '../../support/backend-fixture.ts';
import { poll, register, send } from '../../support/player-client.ts';

const screens = '/api/v3/screens/';

test('refuses operator calls without the token, with a wrong one, and with a client certificate alone', async (t) => {
  const backend = await backendFor(t);
  const { identity } = await registeredScreen(backend);
  const wrong = { authorization: `Bearer ${'x'.repeat(43)}` };
  assert.equal((await send(backend, screens)).status, 401);
  assert.equal((await send(backend, screens, { headers: wrong })).status, 401);
  assert.equal((await send(backend, screens, { identity })).status, 401);
});

test('refuses even the right token after ten wrong ones, until the minute is over', async (t) => {
  let nowMs = Date.now();
  const backend = await backendFor(t, { now: () => nowMs });
  const right = { authorization: `Bearer ${backend.operatorToken}` };
  for (let attempt = 0; attempt < 10; attempt += 1) {
    assert.equal((await send(backend, screens, { headers: { authorization: `Bearer wrong${attempt}` } })).status, 401);
  }
  assert.equal((await send(backend, screens, { headers: right })).status, 429);
  nowMs += 60_000;
  assert.equal((await send(backend, screens, { headers: right })).status, 200);
});

test('refuses unknown PINs with 404, claimed ones with 409, and a claim without a name', async (t) => {
  const backend = await backendFor(t);
  const headers = { authorization: `Token ${backend.operatorToken}` };
  const claim = (pin: string, name: string) => send(backend, screens, { method: 'POST', headers, body: { pin, name } });
  const { pin } = await register(backend);
  assert.equal((await claim('AAAAAA', 'Lobby')).status, 404);
  assert.equal((await claim(pin, ' ')).status, 422);
  const claimed = await claim(pin, 'Lobby');
  assert.equal(claimed.status, 201);
  assert.equal(claimed.json.name, 'Lobby');
  const again = await claim(pin, 'Lobby');
  assert.deepEqual([again.status, again.json.error.code], [409, 'pin-claimed']);
  assert.equal(backend.screens().length, 1);
});

test('refuses what another site asks a logged-in browser to do', async (t) => {
  const backend = await backendFor(t);
  const token = backend.operatorToken;
  const logIn = (origin: string) =>
    send(backend, '/console/session', { method: 'POST', headers: { origin }, body: { token } });
  assert.equal((await logIn('https://evil.example')).status, 403);
  const session = await logIn(backend.origin);
  const [setCookie = ''] = session.headers['set-cookie'] ?? [];
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/']) assert.ok(setCookie.includes(attribute));
  const cookie = setCookie.split(';')[0] ?? '';
  assert.ok(!cookie.includes(token));

  const { pin } = await register(backend);
  const body = { pin, name: 'Lobby' };
  for (const origin of [undefined, 'https://evil.example', 'null']) {
    const headers = { cookie, ...(origin && { origin }) };
    assert.equal((await send(backend, screens, { method: 'POST', headers, body })).status, 403);
  }
  const own = { cookie, origin: backend.origin };
  assert.equal((await send(backend, screens, { method: 'POST', headers: own, body })).status, 201);
  await send(backend, '/console/session', { method: 'DELETE', headers: own });
  assert.equal((await send(backend, screens, { headers: { cookie } })).status, 401);
});

test('serves a console without inline script, under a policy that would block it', async (t) => {
  const backend = await backendFor(t);
  for (const path of ['/', '/claim?pin=K7Q4M2']) {
    const { status, headers, bytes } = await send(backend, path);
    assert.equal(status, 200);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(bytes.toString(), /<script>|<style>|\son\w+=|\sstyle=/);
  }
  for (const path of ['/console.js', '/console.css', '/inter.woff2']) {
    assert.equal((await send(backend, path)).status, 200, path);
  }
});

test('brings back authority, screens and waiting registrations after a restart, in files for its user only', async (t) => {
  const stateDirectory = temporaryFolder(t);
  const first = await backendFor(t, { stateDirectory });
  const screen = await registeredScreen(first);
  const waiting = await register(first, 'srly-waiting');
  await first.close();
  for (const file of ['ca.key', 'operator-token', 'state.json']) {
    assert.equal(statSync(join(stateDirectory, file)).mode & 0o777, 0o600, file);
  }
  const second = await backendFor(t, { stateDirectory });
  assert.equal(second.operatorToken, first.operatorToken);
  assert.deepEqual(second.screens(), first.screens());
  assert.deepEqual((await poll(second, waiting)).json, { status: 'pending' });
  assert.equal((await send(second, '/api/v2/screens/playlist', { identity: screen.identity })).status, 200);
});

test('the console has words for every reason that evidence can be refused for', () => {
  const codes = readFileSync('native/attestation/error.ts', 'utf8').match(/(?<=\| ')[A-Z_]+(?=')/g) ?? [];
  assert.ok(codes.length > 15);
  const script = readFileSync('test/backend/console/console.js', 'utf8');
  const worded = codes.filter((code) => script.includes(`'${code.replaceAll('_', '-').toLowerCase()}': '`));
  assert.deepEqual(worded, codes);
});

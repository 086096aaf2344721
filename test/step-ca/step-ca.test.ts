/** The step-ca issuer against the real step-ca, whose program SIGNET_STEP_CA names (npm run test:step-ca). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { stepCa } from '../backend/issuers/step-ca.ts';
import { backendFor, temporaryFolder } from '../support/backend-fixture.ts';
import { createHierarchy } from '../support/certificate-hierarchy.ts';
import { createRequest } from '../support/certificate-requests.ts';
import { createKey, keyPem } from '../support/certificates.ts';
import { poll, register, send } from '../support/player-client.ts';
import { stepCaRefusals } from '../support/step-ca-refusals.ts';
import { freePort } from '../support/tcp-port.ts';

const hostname = 'srly-a';
const wish = () => ({
  csrPem: createRequest(hostname, createKey().privateKey),
  ...{ hostname, lifetimeSeconds: 3_600, requestId: randomUUID() },
});

/** @param claims of the provisioner; its own where absent */
async function startRealStepCa(t: TestContext, claims: object = {}) {
  const program = process.env['SIGNET_STEP_CA'];
  assert.ok(program, 'SIGNET_STEP_CA names the program: npm run test:step-ca');
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  const { rootPem, intermediate } = createHierarchy();
  const provisioner = createKey();
  const { crv, kty, x, y } = provisioner.publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const port = await freePort();
  writeFileSync(at('root.pem'), rootPem);
  writeFileSync(at('issuing.pem'), intermediate.certificatePem);
  writeFileSync(at('issuing.key'), keyPem(intermediate.privateKey), { mode: 0o600 });
  const key = { use: 'sig', alg: 'ES256', kid, kty, crv, x, y };
  const provisioners = [{ type: 'JWK', name: 'screens', key, claims }];
  const configuration = {
    ...{ root: at('root.pem'), crt: at('issuing.pem'), key: at('issuing.key') },
    ...{ address: `127.0.0.1:${port}`, dnsNames: ['localhost'], authority: { provisioners } },
    db: { type: 'badgerV2', dataSource: at('db') },
  };
  writeFileSync(at('ca.json'), JSON.stringify(configuration));
  const child = spawn(program, [at('ca.json')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  for await (const line of createInterface({ input: child.stderr })) if (line.includes('Serving HTTPS')) break;
  child.stderr.resume();
  const place = { url: `https://localhost:${port}`, rootPem, provisionerKey: keyPem(provisioner.privateKey) };
  const retries = { most: 2, firstPauseMs: 100, random: () => 0.5 };
  return { place, intermediate, issuer: stepCa({ ...place, provisioner: 'screens', retries }) };
}

test('issues for the request, tells its roots, revokes, and revokes again without harm', async (t) => {
  const { issuer, intermediate, place } = await startRealStepCa(t);
  const asked = wish();
  const issued = await issuer.issue(asked);
  const certificate = new X509Certificate(issued.certificatePem);
  assert.equal(certificate.subject, `CN=${hostname}`);
  assert.ok(certificate.verify(new X509Certificate(intermediate.certificatePem).publicKey));
  assert.ok(certificate.keyUsage.includes('1.3.6.1.5.5.7.3.2'), 'clientAuth');
  assert.ok(Math.abs(Date.parse(certificate.validTo) - Date.now() - 3_600_000) < 60_000);
  const [between] = issued.chainPem;
  assert.equal(
    new X509Certificate(between ?? '').fingerprint256,
    new X509Certificate(intermediate.certificatePem).fingerprint256,
  );
  const [root] = await issuer.roots();
  assert.equal(new X509Certificate(root ?? '').fingerprint256, new X509Certificate(place.rootPem).fingerprint256);
  assert.equal(issued.reference, BigInt(`0x${certificate.serialNumber}`).toString());
  await issuer.revoke(issued.reference);
  await issuer.revoke(issued.reference);
});

test('refuses what the stand-in refuses, with the same status', async (t) => {
  const { place } = await startRealStepCa(t);
  for (const [what, came, due] of await stepCaRefusals(place)) assert.equal(came, due, what);
});

test('a lifetime beyond what the provisioner may give is told in its own words, and given where it may', async (t) => {
  const month = { ...wish(), lifetimeSeconds: 30 * 86_400 };
  const { issuer } = await startRealStepCa(t);
  await assert.rejects(issuer.issue(month), {
    retryable: false,
    message: /403: .*maximum certificate duration of 24h/,
  });
  const generous = await startRealStepCa(t, { maxTLSCertDuration: '744h' });
  const { certificatePem } = await generous.issuer.issue(month);
  assert.ok(Date.parse(new X509Certificate(certificatePem).validTo) > Date.now() + 29 * 86_400_000);
});

test('a screen registers, plays by its certificate, renews it, and is revoked', async (t) => {
  const { issuer, place } = await startRealStepCa(t, { maxTLSCertDuration: '744h' });
  const backend = await backendFor(t, { issuer });
  const registration = await register(backend, hostname);
  const screen = backend.claim(registration.pin, 'Lobby');
  let issued = (await poll(backend, registration)).json;
  for (let tries = 0; issued.status === 'pending' && tries < 50; tries++) {
    await new Promise((done) => setTimeout(done, 100));
    issued = (await poll(backend, registration)).json;
  }
  assert.equal(issued.status, 'issued', JSON.stringify(backend.screens()));
  const identity = {
    privateKey: registration.privateKey,
    certificatePem: [issued.certificate, ...(issued.chain as string[])].join(''),
  };
  assert.equal((await send(backend, '/api/v2/screens/playlist', { identity })).status, 200);
  const body = { csr: createRequest(hostname, registration.privateKey) };
  const renewed = await send(backend, '/api/v2/screens/certificate', { method: 'POST', identity, body });
  assert.equal(renewed.status, 200);
  assert.ok(
    new X509Certificate(renewed.json.certificate as string).verify(
      new X509Certificate(renewed.json.chain[0] as string).publicKey,
    ),
  );
  const roots = await send(backend, '/api/v2/screens/roots', { identity });
  assert.equal(
    new X509Certificate(roots.json.roots[0] as string).fingerprint256,
    new X509Certificate(place.rootPem).fingerprint256,
  );
  backend.revoke(screen.id);
  assert.equal((await send(backend, '/api/v2/screens/playlist', { identity })).status, 403);
});

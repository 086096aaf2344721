/** Authorities elsewhere behind the one interface, against stand-ins that check every request. */
import assert from 'node:assert/strict';
import { randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Agent, request } from 'undici';
import { readIssuer } from '../../backend/issuers/configuration.ts';
import { googleCas } from '../../backend/issuers/google-cas.ts';
import type { Issuer } from '../../backend/issuers/issuer.ts';
import { stepCa } from '../../backend/issuers/step-ca.ts';
import { backendFor, temporaryFolder } from '../../support/backend-fixture.ts';
import { createRequest } from '../../support/certificate-requests.ts';
import { createKey } from '../../support/certificates.ts';
import { published } from '../../support/google-cas-interface.ts';
import { caPool, startGoogleCas } from '../../support/google-cas-stand-in.ts';
import { poll, register, send } from '../../support/player-client.ts';
import { stepCaRefusals } from '../../support/step-ca-refusals.ts';
import { startStepCa } from '../../support/step-ca-stand-in.ts';

const hostname = 'srly-a';
const retries = { most: 3, firstPauseMs: 1, random: () => 0.5 };

async function google(t: TestContext) {
  const standIn = await startGoogleCas(t);
  const { url: endpoint, tlsPem: endpointCaPem, credentialsFile, authFetch } = standIn;
  return { standIn, issuer: googleCas({ caPool, endpoint, endpointCaPem, credentialsFile, authFetch, retries }) };
}

async function step(t: TestContext) {
  const standIn = await startStepCa(t);
  const { url, tlsPem: rootPem, provisionerKey } = standIn;
  return { standIn, issuer: stepCa({ url, rootPem, provisioner: 'screens', provisionerKey, retries }) };
}

const wish = (requestId = randomUUID()) => ({
  csrPem: createRequest(hostname, createKey().privateKey),
  hostname,
  lifetimeSeconds: 3_600,
  requestId,
});
const creations = (calls: readonly string[]) => calls.filter((call) => call.includes('certificateId='));

for (const [name, start] of [
  ['Google CAS', google],
  ['step-ca', step],
] as const) {
  test(`${name}: issues for the request, tells its roots, revokes`, async (t) => {
    const {
      standIn,
      issuer,
    }: { standIn: { authority: { certificatePem: string }; revoked: string[] }; issuer: Issuer } = await start(t);
    const issued = await issuer.issue(wish());
    const certificate = new X509Certificate(issued.certificatePem);
    const [root] = await issuer.roots();
    assert.equal(certificate.subject, `CN=${hostname}`);
    assert.ok(certificate.verify(new X509Certificate(root ?? '').publicKey));
    assert.ok(Math.abs(Date.parse(certificate.validTo) - Date.now() - 3_600_000) < 60_000);
    assert.deepEqual(issued.chainPem, [standIn.authority.certificatePem]);
    await issuer.revoke(issued.reference);
    assert.deepEqual(standIn.revoked, [issued.reference]);
  });

  test(`${name}: tries again what may succeed later, and not what cannot`, async (t) => {
    const { standIn, issuer } = await start(t);
    await issuer.issue(wish());
    standIn.faults.push(503, 429);
    await issuer.issue(wish());
    const before = standIn.calls.length;
    standIn.faults.push(403);
    await assert.rejects(issuer.issue(wish()), { name: 'IssuerError', retryable: false, message: /403/ });
    assert.equal(standIn.calls.length, before + 1);
    standIn.faults.push(500, 500, 500);
    await assert.rejects(issuer.issue(wish()), { name: 'IssuerError', retryable: true, message: /500/ });
    assert.equal(standIn.calls.length, before + 4);
  });
}

test('step-ca: the stand-in refuses what the real one refuses', async (t) => {
  const { standIn } = await step(t);
  const { url, tlsPem: rootPem, provisionerKey } = standIn;
  for (const [what, came, due] of await stepCaRefusals({ url, rootPem, provisionerKey })) assert.equal(came, due, what);
});

test('step-ca: an answer to a revocation that was lost, and a refusal in its own words', async (t) => {
  const { standIn, issuer } = await step(t);
  const { reference } = await issuer.issue(wish());
  standIn.faults.push('lose-reply');
  await issuer.revoke(reference);
  assert.deepEqual(standIn.revoked, [reference]);
  const long = { ...wish(), lifetimeSeconds: 400 * 86_400 };
  await assert.rejects(issuer.issue(long), { retryable: false, message: /403: The request was forbidden: more than/ });
});

test('Google CAS: an answer that was lost is given again, and no second certificate is made', async (t) => {
  const { standIn, issuer } = await google(t);
  await issuer.roots();
  standIn.faults.push('lose-reply');
  const asked = wish();
  const issued = await issuer.issue(asked);
  assert.equal(standIn.made(), 1);
  const [first, second] = creations(standIn.calls);
  assert.ok(first !== undefined && first === second);
  // The same wish after Google has forgotten the request's id: the certificate of that name is there.
  standIn.forgetRequests();
  assert.deepEqual(await issuer.issue(asked), issued);
  assert.equal(standIn.made(), 1);
  await issuer.revoke(issued.reference);
  await issuer.revoke(issued.reference);
});

test('Google CAS: the stand-in takes no call that Google’s description of the interface has no place for', async (t) => {
  const { standIn, issuer } = await google(t);
  await issuer.issue(wish());
  const dispatcher = new Agent({ connect: { ca: standIn.tlsPem } });
  t.after(() => dispatcher.destroy());
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${standIn.tokens[0]}` };
    const json = { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const reply = await request(`${standIn.url}/v1/${path}`, {
      ...{ dispatcher, method: method as 'GET' },
      ...(body === undefined ? { headers } : json),
    });
    await reply.body.dump();
    return reply.statusCode;
  };
  const { csrPem: pemCsr } = wish();
  const good = { lifetime: '3600s', pemCsr };
  const create = (query: string, body: unknown = good) => call('POST', `${caPool}/certificates?${query}`, body);
  assert.equal(await create(`certificateId=a&requestId=${randomUUID()}&validateOnly=false`), 200);
  const before = standIn.made();
  for (const query of [
    'certificateId=a%2Fb',
    `certificateId=${'x'.repeat(64)}`,
    'certificateId=b&requestId=1',
    `certificateId=b&requestId=${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`,
    'certificateId=b&validateOnly=yes',
    'certificateId=b&certificate_id=b',
    'certificateId=b&parent=x',
    'certificateId=b&certificateId=c',
  ])
    assert.equal(await create(query), 400, query);
  for (const body of [
    { pemCsr },
    { lifetime: '3600s' },
    { lifetime: 3600, pemCsr },
    { lifetime: '3600', pemCsr },
    { ...good, config: {} },
    { ...good, csr: pemCsr },
    { ...good, pem_csr: pemCsr },
    { ...good, subjectMode: 'ANY' },
    { ...good, pemCertificate: 'x' },
    { ...good, name: 'x' },
    { ...good, labels: { a: 1 } },
    [good],
    { certificate: good },
  ])
    assert.equal(await create('certificateId=b', body), 400, JSON.stringify(body).slice(0, 80));
  const certificate = `${caPool}/certificates/a`;
  for (const [method, path, body] of [
    ['POST', `${certificate}:revoke`, {}],
    ['POST', `${certificate}:revoke`, { reason: 'LOST' }],
    ['POST', `${certificate}:revoke`, { reason: 5 }],
    ['POST', `${certificate}:revoke`, { reason: 'SUPERSEDED', name: certificate }],
    ['POST', `${certificate}:revoke?requestId=${randomUUID()}`, { reason: 'SUPERSEDED' }],
    ['GET', `${certificate}:revoke`],
    ['GET', certificate, { name: 'x' }],
    ['POST', `${caPool}:fetchCaCerts`, { requestId: 'x' }],
    ['GET', `${caPool}:fetchCaCerts`],
    ['POST', 'projects/signage-1/caPools/screens/certificates?certificateId=b', good],
  ] as const)
    assert.equal(await call(method, path, body), 400, `${method} ${path}`);
  assert.equal(standIn.made(), before);
  assert.equal(standIn.unpublished.length, 31);
});

test('Google CAS: the issuer speaks to the host, and for the scope, that Google’s description names', () => {
  const source = readFileSync('test/backend/issuers/google-cas.ts', 'utf8');
  assert.ok(source.includes(`'https://${published.host}'`));
  assert.ok(source.includes(`'${published.scope}'`));
});

test('Google CAS: one token serves many calls, and a server that gives none is named', async (t) => {
  const { standIn, issuer } = await google(t);
  await Promise.all([issuer.roots(), issuer.roots()]);
  await issuer.roots();
  assert.equal(standIn.tokens.length, 1);
  const { url: endpoint, tlsPem: endpointCaPem, authFetch } = standIn;
  const credentialsFile = join(temporaryFolder(t), 'other.json');
  const account = JSON.parse(readFileSync(standIn.credentialsFile, 'utf8'));
  writeFileSync(
    credentialsFile,
    JSON.stringify({ ...account, client_email: 'other@signage-1.iam.gserviceaccount.com' }),
  );
  const stranger = googleCas({ caPool, endpoint, endpointCaPem, credentialsFile, authFetch, retries });
  await assert.rejects(stranger.roots(), { name: 'IssuerError', retryable: false, message: /access token/ });
});

test('a screen is claimed at once, and gets its certificate when the issuer answers again', async (t) => {
  const { standIn, issuer } = await google(t);
  const backend = await backendFor(t, { issuer });
  const registration = await register(backend, hostname);
  standIn.faults.push(503, 503, 503, 503, 503, 503);
  const screen = backend.claim(registration.pin, 'Lobby');
  assert.equal(screen.certificate_expires_at, null);
  assert.deepEqual((await poll(backend, registration)).json, { status: 'pending', granted: true });
  assert.match(backend.screens()[0]?.issuer_problem ?? '', /Google CAS answers 503/);
  let issued = (await poll(backend, registration)).json;
  for (let tries = 0; issued.status === 'pending' && tries < 5; tries++)
    issued = (await poll(backend, registration)).json;
  assert.equal(issued.status, 'issued');
  assert.equal(standIn.made(), 1);
  assert.equal(backend.screens()[0]?.issuer_problem, null);
  assert.deepEqual(readFileSync(backend.deviceCaFile, 'utf8'), standIn.authority.certificatePem);

  const identity = { privateKey: registration.privateKey, certificatePem: issued.certificate as string };
  assert.equal((await send(backend, '/api/v2/screens/playlist', { identity })).status, 200);
  const body = { csr: createRequest(hostname, registration.privateKey) };
  const renewal = () => send(backend, '/api/v2/screens/certificate', { method: 'POST', identity, body });
  standIn.faults.push(503, 503, 503);
  const away = await renewal();
  assert.deepEqual([away.status, away.json.error.code, away.headers['retry-after']], [503, 'issuer-unavailable', '30']);
  assert.equal((await renewal()).status, 200);
  standIn.faults.push(403);
  assert.equal((await renewal()).status, 502);
  backend.revoke(screen.id);
  assert.equal((await send(backend, '/api/v2/screens/playlist', { identity })).status, 403);
  for (let tries = 0; standIn.revoked.length < 2 && tries < 100; tries++)
    await new Promise((done) => setTimeout(done, 20));
  assert.equal(standIn.revoked.length, 2);
});

test('the issuer is chosen by a file that has no place for a secret', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'issuer.json');
  const read = (document: object, env = {}) => {
    writeFileSync(file, JSON.stringify(document));
    return readIssuer(file, env);
  };
  const stepFile = {
    issuer: 'step-ca',
    url: 'https://ca.example:9000',
    rootFile: join(folder, 'root.pem'),
    provisioner: 'p',
  };
  assert.equal(read({ issuer: 'built-in' }), null);
  assert.ok(read({ issuer: 'google-cas', caPool }));
  assert.throws(() => read({ issuer: 'google-cas', caPool: '../x' }), /caPool/);
  assert.throws(() => read({ issuer: 'google-cas', caPool, privateKey: 'x' }), /privateKey/);
  assert.throws(() => read({ issuer: 'nobody' }), /issuer/);
  assert.throws(() => read(stepFile), /SIGNET_STEP_PROVISIONER_KEY/);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { undiciConnector } from 'node-tss';
import { Agent, request } from 'undici';
import { createHierarchy } from '../support/certificate-hierarchy.ts';
import { createAuthority } from '../support/certificates.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { startNginx } from '../support/nginx.ts';
import { startDemandingOpenssl } from '../support/openssl.ts';
import { startStunnel } from '../support/stunnel.ts';
import { clientIdentity, getPage, toLocalhost } from '../support/tls-client.ts';
import { authorities, type ServerIdentity, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const strangers = createAuthority('Test clients of others');
const hierarchy = createHierarchy();

type Start = (context: TestContext, identity: ServerIdentity, clientAuthorityPem: string) => Promise<number>;

interface Program {
  readonly name: string;
  readonly start: Start;
  /** Passes on who the client is. */
  readonly tellsSubject: boolean;
  /** Ends the handshake with an alert; else it answers 400 over TLS. */
  readonly refusesInTls: boolean;
}

/** The server that stunnel hides. @returns its port */
async function plainServer(context: TestContext): Promise<number> {
  const server = createServer((_request, response) => response.end('plain')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const programs: readonly Program[] = [
  {
    name: 'openssl s_server',
    tellsSubject: true,
    refusesInTls: true,
    async start(context, identity, clientAuthorityPem) {
      const { port, stop } = await startDemandingOpenssl(identity, clientAuthorityPem);
      context.after(stop);
      return port;
    },
  },
  {
    name: 'nginx',
    tellsSubject: true,
    refusesInTls: false,
    async start(context, identity, clientAuthorityPem) {
      const { port, stop } = await startNginx({ ...identity, clientAuthorityPem, tickets: true });
      context.after(stop);
      return port;
    },
  },
  {
    name: 'HAProxy',
    tellsSubject: true,
    refusesInTls: true,
    async start(context, identity, clientAuthorityPem) {
      const { port, stop } = await startHaproxy(identity, clientAuthorityPem);
      context.after(stop);
      return port;
    },
  },
  {
    name: 'stunnel',
    tellsSubject: false,
    refusesInTls: true,
    async start(context, identity, clientAuthorityPem) {
      const { port, stop } = await startStunnel(identity, clientAuthorityPem, await plainServer(context));
      context.after(stop);
      return port;
    },
  },
];

for (const { name, start, tellsSubject, refusesInTls } of programs) {
  test(`${name} refuses a client without a certificate, and the client learns why`, async (t) => {
    const port = await start(t, serverIdentity(servers), clients.certificatePem);
    const attempt = getPage(toLocalhost(port, servers.certificatePem));
    if (refusesInTls) await assert.rejects(attempt, { code: 'SERVER_REFUSED_CERTIFICATE' });
    else assert.match((await attempt).page, /^HTTP\/1\.1 400 [\s\S]*No required SSL certificate was sent/);
  });

  test(`${name} refuses a key in the TPM with a certificate of another authority, and the client learns why`, async (t) => {
    const port = await start(t, serverIdentity(servers), clients.certificatePem);
    const identity = clientIdentity(strangers, await loadTestKey(t));
    const attempt = getPage(toLocalhost(port, servers.certificatePem, { identity }));
    if (refusesInTls) await assert.rejects(attempt, { code: 'SERVER_REFUSED_CERTIFICATE' });
    else assert.match((await attempt).page, /^HTTP\/1\.1 400 [\s\S]*The SSL certificate error/);
  });

  test(`${name} is refused where it is not trusted, before the key in the TPM signs`, async (t) => {
    const port = await start(t, serverIdentity(strangers), clients.certificatePem);
    const identity = clientIdentity(clients, await loadTestKey(t));
    const attempt = getPage(toLocalhost(port, servers.certificatePem, { identity }));
    await assert.rejects(attempt, { code: 'SERVER_UNTRUSTED' });
  });

  test(`${name} lets a key in the TPM in`, async (t) => {
    const port = await start(t, serverIdentity(servers), clients.certificatePem);
    const identity = clientIdentity(clients, await loadTestKey(t));
    const { page, stream } = await getPage(toLocalhost(port, servers.certificatePem, { identity }));
    assert.match(page, /^HTTP\/1\.[01] 200/i);
    if (tellsSubject) assert.match(page, /CN ?= ?screen/);
    assert.equal(stream.protocol, 'TLSv1.3');
  });

  test(`${name} resumes a session without another signature, unless the certificate has changed`, async (t) => {
    const port = await start(t, serverIdentity(servers), clients.certificatePem);
    const key = await loadTestKey(t);
    const options = toLocalhost(port, servers.certificatePem, { identity: clientIdentity(clients, key) });
    assert.equal((await getPage(options)).stream.sessionReused, false);
    const { page, stream } = await getPage(options);
    assert.match(page, /^HTTP\/1\.[01] 200/i);
    assert.equal(stream.sessionReused, true);
    const renewed = await getPage({ ...options, identity: clientIdentity(clients, key) });
    assert.equal(renewed.stream.sessionReused, false);
  });

  test(`${name} and a key in the TPM know each other through intermediates`, async (t) => {
    const leaf = serverIdentity(hierarchy.intermediate);
    const issuer = hierarchy.intermediate.certificatePem;
    const port = await start(t, { ...leaf, certificatePem: leaf.certificatePem + issuer }, hierarchy.rootPem);
    const own = clientIdentity(hierarchy.intermediate, await loadTestKey(t));
    const identity = { ...own, certificateChain: own.certificateChain + issuer };
    const { page } = await getPage(toLocalhost(port, hierarchy.rootPem, { identity }));
    assert.match(page, /^HTTP\/1\.[01] 200/i);
  });

  test(`${name} refuses a client that leaves its intermediate out, and is refused when it does so itself`, async (t) => {
    const leaf = serverIdentity(hierarchy.intermediate);
    const forgetful = await start(t, leaf, hierarchy.rootPem);
    const whole = { ...leaf, certificatePem: leaf.certificatePem + hierarchy.intermediate.certificatePem };
    const port = await start(t, whole, hierarchy.rootPem);
    const identity = clientIdentity(hierarchy.intermediate, await loadTestKey(t));
    const toForgetful = getPage(toLocalhost(forgetful, hierarchy.rootPem, { identity }));
    await assert.rejects(toForgetful, { code: 'SERVER_UNTRUSTED' });
    const attempt = getPage(toLocalhost(port, hierarchy.rootPem, { identity }));
    if (refusesInTls) await assert.rejects(attempt, { code: 'SERVER_REFUSED_CERTIFICATE' });
    else assert.match((await attempt).page, /^HTTP\/1\.1 400 /);
  });

  test(`${name} tells undici that it refuses the certificate, also while a body is on its way`, async (t) => {
    const port = await start(t, serverIdentity(servers), clients.certificatePem);
    const credentials = { ca: servers.certificatePem, identity: clientIdentity(strangers) };
    for (let attempt = 0; attempt < 20; attempt++) {
      const dispatcher = new Agent({ connect: undiciConnector({ credentials: () => credentials }) });
      t.after(() => dispatcher.destroy());
      const body = Buffer.alloc(attempt * 4096, 'x');
      const answer = request(`https://localhost:${port}/`, { dispatcher, method: 'POST', body });
      if (refusesInTls) await assert.rejects(answer, { code: 'SERVER_REFUSED_CERTIFICATE' });
      else {
        const { statusCode, body: page } = await answer;
        await page.dump();
        assert.equal(statusCode, 400);
      }
    }
  });
}

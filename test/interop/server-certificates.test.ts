import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { issueServerChain, type KeyKind } from '../support/certificate-chain.ts';
import { startNginx } from '../support/nginx.ts';
import { startDemandingOpenssl } from '../support/openssl.ts';
import { clientIdentity, getPage, toLocalhost } from '../support/tls-client.ts';
import { authorities, type ServerIdentity, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const keyKinds: readonly KeyKind[] = ['P-256', 'P-384', 'RSA', 'Ed25519'];

async function openssl(context: TestContext, identity: ServerIdentity, args?: readonly string[]): Promise<number> {
  const { port, stop } = await startDemandingOpenssl(identity, clients.certificatePem, args);
  context.after(stop);
  return port;
}

async function nginx(context: TestContext, identity: ServerIdentity): Promise<number> {
  const { port, stop } = await startNginx({ ...identity, clientAuthorityPem: clients.certificatePem });
  context.after(stop);
  return port;
}

/** A certificate of about this many bytes: a DNS name of 30 characters takes 32. */
function wideIdentity(sizeBytes: number): ServerIdentity {
  const padding = Array.from({ length: Math.floor(sizeBytes / 32) }, (_, index) =>
    `${index}.signage.example`.padStart(30, 'x'),
  );
  return serverIdentity(servers, ['localhost', ...padding]);
}

test('refuses a server that leaves an intermediate out, of whatever kind its keys are', async (t) => {
  for (const kind of keyKinds) {
    const { rootPem, identity } = issueServerChain(kind, 2);
    const [leaf = '', , top = ''] = identity.certificatePem.split(/(?=-----BEGIN)/);
    const port = await openssl(t, { ...identity, certificatePem: leaf + top });
    await assert.rejects(getPage(toLocalhost(port, rootPem)), { code: 'SERVER_UNTRUSTED' }, kind);
  }
});

test('refuses a chain of more than eight intermediates', async (t) => {
  const { rootPem, identity } = issueServerChain('P-256', 9);
  const port = await openssl(t, identity);
  await assert.rejects(getPage(toLocalhost(port, rootPem)), { code: 'SERVER_UNTRUSTED', message: /too long/ });
});

test('refuses a certificate beyond 64 KiB', async (t) => {
  const port = await nginx(t, wideIdentity(66_000));
  const attempt = getPage(toLocalhost(port, servers.certificatePem));
  await assert.rejects(attempt, { code: 'TLS_PROTOCOL', message: /excessive message size/ });
});

test('refuses servers that speak TLS 1.2 only', async (t) => {
  const { port: nginxPort, stop } = await startNginx({
    ...serverIdentity(servers),
    clientAuthorityPem: clients.certificatePem,
    protocol: 'TLSv1.2',
  });
  t.after(stop);
  for (const port of [nginxPort, await openssl(t, serverIdentity(servers), ['-tls1_2'])]) {
    const attempt = getPage(toLocalhost(port, servers.certificatePem, { identity: clientIdentity(clients) }));
    await assert.rejects(attempt, { code: 'TLS_PROTOCOL', message: /protocol version/ });
  }
});

test('refuses a server that knows none of its suites or none of its groups', async (t) => {
  const suites = await openssl(t, serverIdentity(servers), ['-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_8_SHA256']);
  await assert.rejects(getPage(toLocalhost(suites, servers.certificatePem)), { code: 'TLS_PROTOCOL' });
  const groups = await openssl(t, serverIdentity(servers), ['-tls1_3', '-groups', 'X448:P-521']);
  await assert.rejects(getPage(toLocalhost(groups, servers.certificatePem)), { code: 'TLS_PROTOCOL' });
});

for (const kind of keyKinds) {
  test(`a key in the TPM gets on with a server whose chain of two intermediates is ${kind}`, async (t) => {
    const { rootPem, identity: server } = issueServerChain(kind, 2);
    const ports = [await openssl(t, server), await nginx(t, server)];
    const identity = clientIdentity(clients, await loadTestKey(t));
    for (const port of ports) {
      const { page } = await getPage(toLocalhost(port, rootPem, { identity }));
      assert.match(page, /^HTTP\/1\.[01] 200 [\s\S]*CN ?= ?screen/i);
    }
  });
}

test('accepts eight intermediates', async (t) => {
  const { rootPem, identity: server } = issueServerChain('P-256', 8);
  const port = await openssl(t, server);
  const { page } = await getPage(toLocalhost(port, rootPem, { identity: clientIdentity(clients) }));
  assert.match(page, /^HTTP\/1\.0 200 /i);
});

test('accepts an intermediate as the anchor, without its root', async (t) => {
  const { identity: server } = issueServerChain('P-384', 1);
  const [, issuer = ''] = server.certificatePem.split(/(?=-----BEGIN)/);
  const port = await openssl(t, server);
  const { page } = await getPage(toLocalhost(port, issuer, { identity: clientIdentity(clients) }));
  assert.match(page, /^HTTP\/1\.0 200 /i);
});

test('accepts a certificate of 60 KiB with 1,900 names', async (t) => {
  const port = await nginx(t, wideIdentity(61_000));
  const identity = clientIdentity(clients, await loadTestKey(t));
  const { page, stream } = await getPage(toLocalhost(port, servers.certificatePem, { identity }));
  assert.match(page, /CN=screen/);
  assert.ok(stream.peerCertificate.length > 60_000, String(stream.peerCertificate.length));
});

test('answers a HelloRetryRequest for another group, with a key in the TPM', async (t) => {
  const port = await openssl(t, serverIdentity(servers), ['-tls1_3', '-groups', 'P-384']);
  const identity = clientIdentity(clients, await loadTestKey(t));
  const { page } = await getPage(toLocalhost(port, servers.certificatePem, { identity }));
  assert.match(page, /CN ?= ?screen/);
});

test('agrees on each suite of TLS 1.3 that it offers', async (t) => {
  for (const suite of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']) {
    const port = await openssl(t, serverIdentity(servers), ['-tls1_3', '-ciphersuites', suite]);
    const options = toLocalhost(port, servers.certificatePem, { identity: clientIdentity(clients) });
    assert.equal((await getPage(options)).stream.cipher, suite);
  }
});

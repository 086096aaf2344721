import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { assertIdentity, type ConnectOptions, connect, type SigningKey, softwareKey, type TlsStream } from 'node-tss';
import { createHierarchy } from '../support/certificate-hierarchy.ts';
import { type Authority, createAuthority, createKey, keyPem } from '../support/certificates.ts';
import { type NginxOptions, startNginx } from '../support/nginx.ts';
import { startOpensslServer } from '../support/openssl.ts';
import { authorities, clientCertificate, type ServerIdentity, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey, openTestTpm } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();

/** `openssl s_server` that answers every line with its reverse. @returns its port */
async function reversing(
  context: TestContext,
  server: ServerIdentity,
  options: { readonly demand?: Authority; readonly args?: readonly string[] } = {},
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 's_server-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const demand =
    options.demand === undefined
      ? []
      : ['-Verify', '1', '-verify_return_error', '-CAfile', file('clients.pem', options.demand.certificatePem)];
  const own = ['-cert', file('server.pem', server.certificatePem), '-key', file('server.key', server.keyPem)];
  const { port, stop } = await startOpensslServer(['-rev', ...own, ...demand, ...(options.args ?? [])]);
  context.after(stop);
  return port;
}

async function nginx(context: TestContext, options: Partial<NginxOptions> = {}): Promise<number> {
  const demand = { clientAuthorityPem: clients.certificatePem };
  const { port, stop } = await startNginx({ ...serverIdentity(servers), ...demand, ...options });
  context.after(stop);
  return port;
}

/** Connection options for a server on this machine that is called `localhost`. */
function to(port: number, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return { host: '127.0.0.1', servername: 'localhost', port, ca: servers.certificatePem, ...more };
}

function newSoftwareKey(): SigningKey {
  return softwareKey(keyPem(createKey().privateKey));
}

function identity(key: SigningKey, authority = clients): NonNullable<ConnectOptions['identity']> {
  return { key, certificateChain: clientCertificate(authority, key) };
}

async function ask(stream: TlsStream, request: string): Promise<string> {
  stream.write(request);
  return text(stream);
}

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

test('refuses a server whose authority is not trusted', async (t) => {
  const port = await reversing(t, serverIdentity(createAuthority('Somebody else')));
  await assert.rejects(connect(to(port)), { name: 'TssError', code: 'SERVER_UNTRUSTED' });
});

test('refuses a private authority where the system decides', async (t) => {
  const port = await reversing(t, serverIdentity(servers));
  const { ca, ...withoutAnchors } = to(port);
  assert.ok(ca);
  await assert.rejects(connect(withoutAnchors), { code: 'SERVER_UNTRUSTED' });
});

test('refuses a server that answers under another name', async (t) => {
  const port = await reversing(t, serverIdentity(servers, ['other.example']));
  await assert.rejects(connect(to(port)), { code: 'SERVER_WRONG_HOST' });
});

test('refuses a host name with a leading dot, which would match every name below it', async (t) => {
  const port = await reversing(t, serverIdentity(servers, ['other.example']));
  await assert.rejects(connect(to(port, { servername: '.example' })), { code: 'ARGUMENT_INVALID' });
});

test('refuses a certificate that has the name only as its common name', async (t) => {
  const port = await reversing(t, serverIdentity(servers, []));
  await assert.rejects(connect(to(port)), { code: 'SERVER_WRONG_HOST' });
});

test('refuses a server at an address that its certificate does not name', async (t) => {
  const port = await reversing(t, serverIdentity(servers, ['localhost']));
  await assert.rejects(connect(to(port, { servername: '127.0.0.1' })), { code: 'SERVER_WRONG_HOST' });
});

test('refuses a certificate that has expired or is not valid yet', async (t) => {
  const expired = serverIdentity(servers, ['localhost'], { fromDays: -30, toDays: -1 });
  await assert.rejects(connect(to(await reversing(t, expired))), { code: 'SERVER_EXPIRED' });
  const port = await reversing(t, serverIdentity(servers));
  await assert.rejects(connect(to(port, { verifyAt: Date.now() / 1000 + 60 * 86_400 })), { code: 'SERVER_EXPIRED' });
});

test('refuses a server that shows a client certificate', async (t) => {
  const key = createKey();
  const dates = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const leaf = { commonName: 'localhost', publicKey: key.publicKey, names: ['localhost'], ...dates };
  const { pem } = servers.issue({ ...leaf, purposes: ['clientAuth'] });
  const port = await reversing(t, { certificatePem: pem, keyPem: keyPem(key.privateKey) });
  await assert.rejects(connect(to(port)), { code: 'SERVER_UNTRUSTED' });
});

test('refuses a server that speaks no TLS 1.3', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await assert.rejects(connect(to(port)), { code: 'TLS_PROTOCOL' });
});

test('refuses, before it connects, a client certificate for another key', async () => {
  const stranger = identity(newSoftwareKey());
  const wrong = { key: newSoftwareKey(), certificateChain: stranger.certificateChain };
  await assert.rejects(connect(to(1, { identity: wrong })), { code: 'CLIENT_CERTIFICATE_INVALID' });
});

test('tells without a connection what connect would refuse: another key, what does not parse, a chain that is too weak', async () => {
  const key = newSoftwareKey();
  const { certificateChain } = identity(key);
  assertIdentity({ key, certificateChain });
  const broken = certificateChain.replace(/\n.{8}/, '\nAAAAAAAA');
  const [fine, weak] = (['sha256', 'sha1'] as const).map((digest) => {
    const { intermediate } = createHierarchy(digest);
    return clientCertificate(intermediate, key) + intermediate.certificatePem;
  }) as [string, string];
  assertIdentity({ key, certificateChain: fine });
  for (const refused of [identity(newSoftwareKey()).certificateChain, '', 'text', broken, fine + broken, weak]) {
    const shown = { key, certificateChain: refused };
    assert.throws(() => assertIdentity(shown), { code: 'CLIENT_CERTIFICATE_INVALID' });
    await assert.rejects(connect(to(1, { identity: shown })), { code: 'CLIENT_CERTIFICATE_INVALID' });
  }
  await key.close();
  assert.throws(() => assertIdentity({ key, certificateChain }), { code: 'KEY_CLOSED' });
});

test('refuses certificates and anchors that do not parse', async () => {
  const key = newSoftwareKey();
  const good = identity(key).certificateChain;
  const broken = good.replace(/\n.{8}/, '\nAAAAAAAA');
  for (const certificateChain of ['', 'text', broken, good + broken]) {
    const attempt = connect(to(1, { identity: { key, certificateChain } }));
    await assert.rejects(attempt, { code: 'CLIENT_CERTIFICATE_INVALID' });
  }
  await assert.rejects(connect(to(1, { ca: 'text' })), { code: 'TRUST_INVALID' });
});

test('refuses keys of another make', async () => {
  const key = newSoftwareKey();
  const impostor: SigningKey = { ...identity(key).key, publicKey: key.publicKey } as SigningKey;
  const attempt = connect(to(1, { identity: { ...identity(key), key: impostor } }));
  await assert.rejects(attempt, { code: 'ARGUMENT_INVALID' });
});

test('tells a refused connection, an unknown name and a deadline apart', async (t) => {
  await assert.rejects(connect(to(1)), { code: 'CONNECTION_REFUSED' });
  await assert.rejects(connect({ host: 'no-such-host.invalid', port: 443 }), { code: 'NAME_UNRESOLVED' });
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  await assert.rejects(connect(to(port, { timeoutMs: 20 })), { code: 'CONNECTION_TIMEOUT' });
});

test('gives an attempt up when it is told to', async (t) => {
  const silent = createServer(() => abort.abort(new Error('changed my mind'))).listen(0, '127.0.0.1');
  const abort = new AbortController();
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  await assert.rejects(connect(to(port, { signal: abort.signal })), /changed my mind/);
  await assert.rejects(connect(to(port, { signal: abort.signal })), /changed my mind/);
});

test('reports that the server demands a certificate where none is shown', async (t) => {
  const port = await reversing(t, serverIdentity(servers), { demand: clients });
  await assert.rejects(text(await connect(to(port))), { code: 'SERVER_REFUSED_CERTIFICATE' });
});

test('reports that the server refuses a certificate of another authority', async (t) => {
  const port = await reversing(t, serverIdentity(servers), { demand: clients });
  const foreign = identity(await loadTestKey(t), createAuthority('Test clients of others'));
  await assert.rejects(text(await connect(to(port, { identity: foreign }))), { code: 'SERVER_REFUSED_CERTIFICATE' });
});

test('reports the failure of the TPM, not one of TLS, where the key does not sign', async (t) => {
  const port = await reversing(t, serverIdentity(servers), { demand: clients });
  const { tpm, emulator } = await openTestTpm(t);
  const key = await tpm.loadKey(await tpm.createKey());
  await tpm.info();
  await emulator.stop();
  await assert.rejects(connect(to(port, { identity: identity(key) })), { code: 'TPM_ABSENT' });
});

test('takes an end without close_notify for a truncation', async (t) => {
  const port = await reversing(t, serverIdentity(servers));
  const cutter = createServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    near.pipe(far, { end: false });
    far.pipe(near, { end: false });
    near.on('error', () => {});
    far.on('error', () => {});
    cutter.once('cut', () => near.end());
    near.once('close', () => far.destroy());
  }).listen(0, '127.0.0.1');
  await once(cutter, 'listening');
  t.after(() => cutter.close());
  const stream = await connect(to((cutter.address() as AddressInfo).port));
  stream.write('whole\n');
  const [answer] = (await once(stream, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'elohw\n');
  cutter.emit('cut');
  await assert.rejects(once(stream, 'end'), { code: 'CONNECTION_FAILED', message: /close_notify/ });
});

test('authenticates with the key in the TPM against OpenSSL and nginx', async (t) => {
  const reversingPort = await reversing(t, serverIdentity(servers), { demand: clients });
  const nginxPort = await nginx(t);
  const own = identity(await loadTestKey(t));
  const reverser = await connect(to(reversingPort, { identity: own }));
  reverser.write('trams\n');
  const [answer] = (await once(reverser, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'smart\n');
  reverser.destroy();
  const stream = await connect(to(nginxPort, { identity: own }));
  assert.equal(stream.protocol, 'TLSv1.3');
  assert.match(stream.cipher, /^TLS_/);
  assert.ok(stream.peerCertificate.length > 0);
  assert.match(await ask(stream, get), /^HTTP\/1\.1 200 [\s\S]*CN=screen \.$/);
});

test('authenticates with a software key', async (t) => {
  const stream = await connect(to(await nginx(t), { identity: identity(newSoftwareKey()) }));
  assert.match(await ask(stream, get), /CN=screen/);
});

test('accepts a server at an address that its certificate names', async (t) => {
  const port = await reversing(t, serverIdentity(servers));
  const stream = await connect(to(port, { servername: '127.0.0.1' }));
  stream.destroy();
});

test('agrees on an ALPN protocol', async (t) => {
  const port = await reversing(t, serverIdentity(servers), { args: ['-alpn', 'http/1.1'] });
  const stream = await connect(to(port, { alpn: ['h2', 'http/1.1'] }));
  assert.equal(stream.alpnProtocol, 'http/1.1');
  stream.destroy();
});

test('resumes a session, and forgets it with the certificate that it was made under', async (t) => {
  const port = await nginx(t, { tickets: true });
  const key = await loadTestKey(t);
  const own = identity(key);
  const visit = async (more: Partial<ConnectOptions>): Promise<boolean> => {
    const stream = await connect(to(port, { identity: own, ...more }));
    assert.match(await ask(stream, get), /200 OK/);
    return stream.sessionReused;
  };
  assert.equal(await visit({}), false);
  assert.equal(await visit({}), true);
  assert.equal(await visit({ resume: false }), false);
  assert.equal(await visit({ identity: identity(key) }), false);
});

test('runs many handshakes with one key at once', async (t) => {
  const port = await nginx(t);
  const own = identity(await loadTestKey(t));
  const streams = await Promise.all(Array.from({ length: 12 }, () => connect(to(port, { identity: own }))));
  const answers = await Promise.all(streams.map((stream) => ask(stream, get)));
  assert.ok(answers.every((answer) => answer.includes('CN=screen')));
});

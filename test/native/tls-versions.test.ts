import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConnectOptions, connect, type SigningKey, softwareKey } from 'node-tss';
import { createAuthority, createKey, keyPem } from '../support/certificates.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const folder = mkdtempSync(join(tmpdir(), 'tls-versions-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const { certificatePem, keyPem: serverKey } = serverIdentity(servers);
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const certificate = ['-cert', file('server.pem', certificatePem), '-key', file('server.key', serverKey)];
const demand = ['-Verify', '1', '-verify_return_error', '-CAfile', file('clients.pem', clients.certificatePem)];
/** Debian's defaults for `openssl` refuse a server without extended master secret; a file of one's own decides. */
const withoutExtendedSecret = file(
  'openssl.cnf',
  'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -ExtendedMasterSecret\n',
);

interface Server {
  readonly port: number;
  /** Type a line at the server's terminal. */
  type(line: string): void;
}

/** `openssl s_server` with these arguments; what is typed goes to its clients, or commands it. */
async function server(
  context: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...certificate, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  child.stderr.resume();
  const exited = once(child, 'exit');
  context.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^ACCEPT .*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { port: Number(port), type: (typed) => child.stdin.write(`${typed}\n`) };
  }
  throw new Error('openssl s_server did not start');
}

function to({ port }: Server, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return { host: '127.0.0.1', servername: 'localhost', port, ca: servers.certificatePem, ...more };
}

const old = { minVersion: 'TLSv1.2' } as const;
const identity = (key: SigningKey, authority = clients): NonNullable<ConnectOptions['identity']> => ({
  key,
  certificateChain: clientCertificate(authority, key),
});
const inSoftware = (): SigningKey => softwareKey(keyPem(createKey().privateKey));

test('refuses a server that speaks TLS 1.2 alone, unless that was asked for', async (t) => {
  const only12 = await server(t, ['-rev', '-tls1_2']);
  await assert.rejects(connect(to(only12)), { code: 'TLS_PROTOCOL' });
  const stream = await connect(to(only12, old));
  assert.equal(stream.protocol, 'TLSv1.2');
  stream.destroy();
});

test('refuses what is older than TLS 1.2 whatever was asked for', async (t) => {
  const ancient = await server(t, ['-rev', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']);
  await assert.rejects(connect(to(ancient, old)), { code: 'TLS_PROTOCOL' });
  const minVersion = 'TLSv1.1' as 'TLSv1.2';
  await assert.rejects(connect(to(ancient, { minVersion })), { code: 'ARGUMENT_INVALID' });
});

for (const cipher of [
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-ECDSA-AES128-CCM8',
  'NULL-SHA256:ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0',
]) {
  test(`refuses TLS 1.2 with ${cipher}`, async (t) => {
    const weak = await server(t, ['-rev', '-tls1_2', '-cipher', cipher]);
    await assert.rejects(connect(to(weak, old)), { code: 'TLS_PROTOCOL' });
  });
}

test('refuses TLS 1.2 without the extended master secret', async (t) => {
  const args = ['-rev', '-tls1_2'];
  const splicable = await server(t, args, { OPENSSL_CONF: withoutExtendedSecret });
  await assert.rejects(connect(to(splicable, old)), { code: 'TLS_PROTOCOL', message: /extended master secret/ });
});

test('never negotiates again', async (t) => {
  const asking = await server(t, ['-tls1_2']);
  const stream = await connect(to(asking, old));
  const failed = assert.rejects(text(stream), { code: 'TLS_PROTOCOL' });
  const before = stream.bytesWritten;
  // The command of s_server for a HelloRequest (RFC 5246 §7.4.1.1).
  asking.type('r');
  while (stream.bytesWritten === before) await turn();
  assert.ok(stream.bytesWritten - before < 64, 'the answer is an alert, not a ClientHello');
  // OpenSSL gives up on a client that declines.
  await failed;
});

test('tells a refused certificate from other failures in TLS 1.2 too', async (t) => {
  const demanding = await server(t, ['-rev', '-tls1_2', ...demand]);
  const none = connect(to(demanding, old));
  await assert.rejects(none, { code: 'SERVER_REFUSED_CERTIFICATE' });
  const foreign = identity(inSoftware(), createAuthority('Test clients of others'));
  await assert.rejects(connect(to(demanding, { ...old, identity: foreign })), { code: 'SERVER_REFUSED_CERTIFICATE' });
});

test('still agrees on TLS 1.3 where 1.2 would do', async (t) => {
  const both = await server(t, ['-rev']);
  const stream = await connect(to(both, old));
  assert.equal(stream.protocol, 'TLSv1.3');
  stream.destroy();
});

for (const cipher of [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
]) {
  test(`authenticates with the TPM key in TLS 1.2 with ${cipher}`, async (t) => {
    // Of P-256 keys TLS 1.2 also takes SHA-384 signatures, which the TPM's keys do not make.
    const preferring = ['-client_sigalgs', 'ECDSA+SHA384:ECDSA+SHA256'];
    const modern = await server(t, ['-rev', '-tls1_2', '-cipher', cipher, ...preferring, ...demand]);
    const stream = await connect(to(modern, { ...old, alpn: [], identity: identity(await loadTestKey(t)) }));
    assert.equal(stream.cipher, cipher);
    stream.write('trams\n');
    const [answer] = (await once(stream, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'smart\n');
    stream.destroy();
  });
}

test('resumes TLS 1.2 sessions, and never where 1.3 alone is wanted', async (t) => {
  const ticketing = await server(t, ['-rev']);
  const only12 = await server(t, ['-rev', '-tls1_2']);
  const visit = async (at: Server, more: Partial<ConnectOptions>): Promise<boolean> => {
    const stream = await connect(to(at, more));
    stream.end('x\n');
    await text(stream);
    return stream.sessionReused;
  };
  assert.equal(await visit(only12, old), false);
  assert.equal(await visit(only12, old), true);
  assert.equal(await visit(ticketing, old), false);
  assert.equal(await visit(ticketing, {}), false);
  assert.equal(await visit(ticketing, {}), true);
});

test('reads a changed file of trust anchors again, and resumes nothing that the old one vouched for', async (t) => {
  const target = await server(t, ['-rev']);
  const caFile = file('anchors.pem', servers.certificatePem);
  const trusting = { host: '127.0.0.1', servername: 'localhost', port: target.port, caFile };
  const visit = async (): Promise<boolean> => {
    const stream = await connect(trusting);
    stream.end('x\n');
    await text(stream);
    return stream.sessionReused;
  };
  assert.deepEqual([await visit(), await visit()], [false, true]);
  file('anchors.pem', createAuthority('Somebody else').certificatePem);
  await assert.rejects(visit(), { code: 'SERVER_UNTRUSTED' });
  file('anchors.pem', `${servers.certificatePem}\n`);
  assert.equal(await visit(), false);
  rmSync(caFile);
  await assert.rejects(visit(), { code: 'TRUST_INVALID', message: /ENOENT/ });
  file('anchors.pem', 'text');
  await assert.rejects(visit(), { code: 'TRUST_INVALID' });
  assert.equal(readFileSync(caFile, 'utf8'), 'text');
  await assert.rejects(connect({ ...trusting, ca: servers.certificatePem }), { code: 'ARGUMENT_INVALID' });
});

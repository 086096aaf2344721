import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { type Ended, runScript, startScript } from '../support/script-run.ts';
import { type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';
import { transientHandles } from '../support/tpm-fixture.ts';

const program = join('native', 'cli', 'node-tss.mjs');
const { servers, clients } = authorities();
const DAY_MS = 86_400_000;

interface Site {
  readonly emulator: SoftwareTpm;
  readonly nginx: Nginx;
  readonly env: NodeJS.ProcessEnv;
  readonly trust: string[];
  /** Options for a client certificate of `clients`, and time enough for an emulated machine. */
  readonly identity: string[];
  run(...args: string[]): Promise<Ended>;
}

/** nginx that demands a certificate, and a box that has one for the key in its TPM. */
async function site(context: TestContext): Promise<Site> {
  const emulator = await startSwtpm();
  context.after(() => emulator.stop());
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  context.after(nginx.stop);
  const env = { TPM2TOOLS_TCTI: emulator.tcti };
  const path = (name: string): string => join(emulator.folder, name);
  const run = (...args: string[]) => runScript(program, args, env);
  const { stdout, exitCode } = await run('create', '--out', path('key.pem'), '--json');
  assert.equal(exitCode, 0);
  const { pem } = clients.issue({
    commonName: 'screen',
    publicKey: createPublicKey(JSON.parse(stdout).publicKey),
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    purposes: ['clientAuth'],
  });
  writeFileSync(path('certificate.pem'), pem);
  writeFileSync(path('ca.pem'), servers.certificatePem);
  return {
    emulator,
    nginx,
    env,
    run,
    trust: ['--ca', path('ca.pem')],
    identity: ['--key', path('key.pem'), '--certificate', path('certificate.pem'), '--timeout', '600'],
  };
}

/** @returns its port on 127.0.0.1 */
async function listen(context: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

test('refuses a server that the system does not trust', async (t) => {
  const { nginx, identity, run } = await site(t);
  const { exitCode, stdout } = await run('request', nginx.url, ...identity, '--json');
  assert.equal(exitCode, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, 'SERVER_UNTRUSTED');
  assert.match(error.remedy, /--ca/);
});

test('refuses a certificate that belongs to another key', async (t) => {
  const { nginx, emulator, identity, trust, run } = await site(t);
  const other = join(emulator.folder, 'other.pem');
  assert.equal((await run('create', '--out', other)).exitCode, 0);
  const args = identity.map((word) => (word.endsWith('key.pem') ? other : word));
  const { exitCode, stderr } = await run('request', nginx.url, ...args, ...trust);
  assert.equal(exitCode, 1);
  assert.match(stderr, /CLIENT_CERTIFICATE_INVALID/);
});

test('tells status, TLS, certificate and times of a request with a TPM key', async (t) => {
  const { nginx, emulator, identity, trust, run } = await site(t);
  const { exitCode, stdout, stderr } = await run('request', nginx.url, ...identity, ...trust, '--body', '--json');
  assert.equal(exitCode, 0, stderr + stdout);
  const reply = JSON.parse(stdout);
  assert.equal(reply.status, 200);
  assert.match(reply.body, /CN=screen/);
  assert.equal(reply.bodyBytes, Buffer.byteLength(reply.body));
  assert.equal(reply.tls.protocol, 'TLSv1.3');
  assert.match(reply.tls.cipher, /^TLS_/);
  assert.match(reply.tls.peer.subject, /CN=localhost/);
  assert.match(reply.tls.peer.subjectAltName, /DNS:localhost/);
  const { tpmMs, connectMs, firstByteMs, totalMs } = reply.timings;
  assert.ok(tpmMs > 0 && 0 < connectMs && connectMs <= firstByteMs && firstByteMs <= totalMs);
  const { stdout: text } = await run('request', nginx.url, ...identity, ...trust);
  for (const word of ['200 OK', 'TLSv1.3', 'CN=localhost', 'first byte']) assert.ok(text.includes(word), word);
  assert.deepEqual(transientHandles(emulator), []);
});

test('shows the refusal of a server that asked for a certificate and got none', async (t) => {
  const { nginx, trust, run } = await site(t);
  // nginx completes the handshake and says it in HTTP.
  const { exitCode, stdout } = await run('request', nginx.url, ...trust);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^status +400 Bad Request\n/);
  assert.match(stdout, /no certificate/);
});

test('refuses a server that speaks TLS 1.2 alone, unless 1.2 is allowed', async (t) => {
  const { trust } = await site(t);
  const { certificatePem: cert, keyPem: key } = serverIdentity(servers);
  const old = createHttpsServer({ cert, key, maxVersion: 'TLSv1.2' }, (_request, response) => response.end('old'));
  const port = await listen(t, old);
  const args = ['request', `https://127.0.0.1:${port}/`, ...trust, '--json'];
  assert.equal(JSON.parse((await runScript(program, args)).stdout).error.code, 'TLS_PROTOCOL');
  const { exitCode, stdout } = await runScript(program, [...args, '--tls12', '--body']);
  assert.equal(exitCode, 0, stdout);
  const { tls, body } = JSON.parse(stdout);
  assert.equal(tls.protocol, 'TLSv1.2');
  assert.equal(body, 'old');
});

test('goes through a proxy with credentials from a file, and never shows them', async (t) => {
  const { nginx, emulator, identity, trust, run } = await site(t);
  const proxy = await startConnectProxy({ credentials: { username: 'screen', password: 'hidden' } });
  t.after(proxy.stop);
  const file = join(emulator.folder, 'proxy');
  const args = ['request', nginx.url, ...identity, ...trust, '--proxy', proxy.url, '--proxy-credentials-file', file];
  writeFileSync(file, 'screen:hidden-but-wrong\n');
  const refused = await run(...args);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /PROXY_REFUSED.*\n {2}remedy: .*--proxy-credentials-file/);
  assert.doesNotMatch(refused.stderr + refused.stdout, /hidden/);
  writeFileSync(file, 'screen:hidden\n');
  const { exitCode, stdout, stderr } = await run(...args, '--body');
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /CN=screen/);
  assert.doesNotMatch(stdout, /hidden/);
  assert.deepEqual(proxy.tunnels, [`localhost:${nginx.port}`]);
});

test('gives up on a server that says nothing', async (t) => {
  const port = await listen(
    t,
    createServer((socket) => socket.on('error', () => {})),
  );
  const args = ['request', `https://127.0.0.1:${port}/`, '--timeout', '0.2', '--json'];
  const { exitCode, stdout } = await runScript(program, args);
  assert.equal(exitCode, 1);
  assert.equal(JSON.parse(stdout).error.code, 'CONNECTION_TIMEOUT');
});

test('leaves nothing in the TPM when it is interrupted in the middle of a handshake', async (t) => {
  const { emulator, env, identity, trust } = await site(t);
  const reached = createServer((socket) => socket.on('error', () => {}));
  const port = await listen(t, reached);
  const args = ['request', `https://127.0.0.1:${port}/`, ...identity, ...trust];
  const { ended, kill } = startScript(program, args, env);
  await once(reached, 'connection');
  kill('SIGTERM');
  assert.equal((await ended).exitCode, 143);
  assert.deepEqual(transientHandles(emulator), []);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as nodeTss from 'node-tss';
import { startNginx } from '../support/nginx.ts';
import { openssl } from '../support/openssl.ts';
import { runScript } from '../support/script-run.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { openTestTpm, transientHandles } from '../support/tpm-fixture.ts';
import { tpmMaker } from '../support/tpm-maker.ts';

const { servers, clients } = authorities();
const example = (name: string): string => join('native', 'examples', name);

interface Files {
  readonly tcti: string;
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
}

/** A key of a TPM without clients, its certificate, and the server's authority; afterwards the TPM must be empty. */
async function files(context: TestContext): Promise<Files & { assertEmpty(): void }> {
  const { tpm, emulator } = await openTestTpm(context);
  const pem = await tpm.createKey();
  const contents = {
    key: pem,
    certificate: clientCertificate(clients, await tpm.loadKey(pem)),
    ca: servers.certificatePem,
  };
  await tpm.close();
  const path = (name: keyof typeof contents): string => {
    const file = join(emulator.folder, `${name}.pem`);
    writeFileSync(file, contents[name]);
    return file;
  };
  return {
    tcti: emulator.tcti,
    key: path('key'),
    certificate: path('certificate'),
    ca: path('ca'),
    assertEmpty: () => assert.deepEqual(transientHandles(emulator), []),
  };
}

async function server(context: TestContext): Promise<string> {
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  context.after(nginx.stop);
  return `${nginx.url}/`;
}

for (const name of ['undici.mjs', 'http-request.mjs']) {
  test(`${name} says by its code that a server is not trusted`, async (t) => {
    const { tcti, key, certificate, assertEmpty } = await files(t);
    const args = [await server(t), key, certificate, certificate, tcti];
    const { exitCode, stdout, stderr } = await runScript(example(name), args);
    assert.equal(exitCode, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^SERVER_UNTRUSTED: /);
    assertEmpty();
  });

  test(`${name} speaks mutual TLS with a key in the TPM`, async (t) => {
    const { tcti, key, certificate, ca, assertEmpty } = await files(t);
    const { exitCode, stdout, stderr } = await runScript(example(name), [await server(t), key, certificate, ca, tcti]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^200 CN=screen/);
    assertEmpty();
  });
}

test('sign.mjs creates, loads, signs and verifies', async (t) => {
  const { tcti, assertEmpty } = await files(t);
  const { exitCode, stdout, stderr } = await runScript(example('sign.mjs'), [tcti]);
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout, 'verified: true\n');
  assertEmpty();
});

test('certificate-request.mjs writes a request that OpenSSL verifies', async (t) => {
  const { tcti, key, assertEmpty } = await files(t);
  const { exitCode, stdout, stderr } = await runScript(example('certificate-request.mjs'), [key, 'CN=screen', tcti]);
  assert.equal(exitCode, 0, stderr);
  openssl(['req', '-verify', '-noout'], { input: stdout });
  assertEmpty();
});

test('attestation.mjs proves a chip of a pinned maker, and refuses another maker’s by its code', async (t) => {
  const maker = tpmMaker();
  t.after(() => maker.remove());
  const emulator = await startSwtpm({ stateFolder: await maker.make() });
  t.after(() => emulator.stop());
  const authority = join(emulator.folder, 'authority.pem');
  writeFileSync(authority, maker.authorityPem());
  const proved = await runScript(example('attestation.mjs'), [authority, emulator.tcti]);
  assert.equal(proved.exitCode, 0, proved.stderr);
  assert.match(proved.stdout, /^verified: id:00001014 swtpm, endorsement key [0-9a-f]{64}\n$/);
  writeFileSync(authority, servers.certificatePem);
  const refused = await runScript(example('attestation.mjs'), [authority, emulator.tcti]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /^ENDORSEMENT_UNTRUSTED: /);
});

test('every example is run here', () => {
  const ran = ['attestation.mjs', 'certificate-request.mjs', 'http-request.mjs', 'sign.mjs', 'undici.mjs'];
  assert.deepEqual(readdirSync('native/examples').sort(), ran);
});

test('the README names every error code, every export and every command', () => {
  const readme = readFileSync('native/README.md', 'utf8');
  const codes = [...readFileSync('native/api.ts', 'utf8').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => code);
  assert.ok(codes.length > 20);
  // Node adds names of its own to the exports of a CommonJS module.
  const exported = Object.keys(nodeTss).filter((name) => !['default', 'module.exports'].includes(name));
  const commands = ['info', 'create', 'csr', 'sign', 'request', 'ek', 'ak', 'certify'];
  const absent = [...codes, ...exported, ...commands].filter((name) => !readme.includes(`\`${name}`));
  assert.deepEqual(absent, []);
});

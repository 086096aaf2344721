import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openTpm } from 'node-tss';
import { openssl } from '../support/openssl.ts';
import type { SoftwareTpm } from '../support/swtpm.ts';
import { openTestTpm } from '../support/tpm-fixture.ts';

const providers = ['-provider', 'tpm2', '-provider', 'default'];

/** Debian's openssl with the tpm2 provider on this TPM, which must have no other client. */
function withTpm(emulator: SoftwareTpm, args: readonly string[]): string {
  return openssl(args, { env: { TPM2OPENSSL_TCTI: emulator.tcti, TSS2_LOG: 'all+none' } });
}

async function freshTpm(context: TestContext): Promise<{ emulator: SoftwareTpm; keyPem: string }> {
  const { tpm, emulator } = await openTestTpm(context);
  const keyPem = await tpm.createKey();
  await tpm.close();
  return { emulator, keyPem };
}

test('OpenSSL signs a certificate request with a key file of ours', async (t) => {
  const { emulator, keyPem } = await freshTpm(t);
  const file = join(emulator.folder, 'key.pem');
  writeFileSync(file, keyPem);
  const request = withTpm(emulator, ['req', ...providers, '-new', '-key', file, '-subj', '/CN=screen', '-batch']);
  assert.match(request, /BEGIN CERTIFICATE REQUEST/);
  openssl(['req', '-verify', '-noout'], { input: request });
  const publicKey = createPublicKey(openssl(['req', '-pubkey', '-noout'], { input: request }));
  const again = await openTpm({ tcti: emulator.tcti });
  t.after(() => again.close());
  const key = await again.loadKey(keyPem);
  assert.deepEqual(publicKey.export({ type: 'spki', format: 'der' }), key.publicKey);
});

test('a key that OpenSSL made signs here', async (t) => {
  const { emulator } = await freshTpm(t);
  const file = join(emulator.folder, 'key.pem');
  withTpm(emulator, ['genpkey', ...providers, '-algorithm', 'EC', '-pkeyopt', 'group:P-256', '-out', file]);
  const tpm = await openTpm({ tcti: emulator.tcti });
  t.after(() => tpm.close());
  const key = await tpm.loadKey(readFileSync(file, 'utf8'));
  const digest = Buffer.from(openssl(['dgst', '-sha256', '-r'], { input: 'message' }).slice(0, 64), 'hex');
  const publicKey = createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
  assert.equal(verify('sha256', Buffer.from('message'), publicKey, await key.sign(digest)), true);
});

test('refuses an RSA key that OpenSSL made, by name', async (t) => {
  const { emulator } = await freshTpm(t);
  const file = join(emulator.folder, 'key.pem');
  withTpm(emulator, ['genpkey', ...providers, '-algorithm', 'RSA', '-pkeyopt', 'bits:2048', '-out', file]);
  const tpm = await openTpm({ tcti: emulator.tcti });
  t.after(() => tpm.close());
  await assert.rejects(tpm.loadKey(readFileSync(file, 'utf8')), { code: 'KEY_INVALID', message: /RSA/ });
});

test('refuses a key of OpenSSL that has a password', async (t) => {
  const { emulator } = await freshTpm(t);
  const file = join(emulator.folder, 'key.pem');
  const withPassword = ['-pkeyopt', 'group:P-256', '-pkeyopt', 'user-auth:secret'];
  withTpm(emulator, ['genpkey', ...providers, '-algorithm', 'EC', ...withPassword, '-out', file]);
  const tpm = await openTpm({ tcti: emulator.tcti });
  t.after(() => tpm.close());
  await assert.rejects(tpm.loadKey(readFileSync(file, 'utf8')), { code: 'KEY_AUTH' });
});

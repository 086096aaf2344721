import assert from 'node:assert/strict';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { SigningKey } from 'node-tss';
import { openTpm, softwareKey } from 'node-tss';
import { readKeyFile, writeKeyFile } from '../../native/key-file.ts';
import { createKey, keyPem } from '../support/certificates.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { loadTestKey, openTestTpm, transientHandles } from '../support/tpm-fixture.ts';

const digest = createHash('sha256').update('message').digest();

async function verifies(key: SigningKey): Promise<boolean> {
  const signature = await key.sign(digest);
  const publicKey = createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
  return verify('sha256', Buffer.from('message'), publicKey, signature);
}

test('refuses to load a key that another TPM made', async (t) => {
  const { tpm: maker } = await openTestTpm(t);
  const { tpm: stranger } = await openTestTpm(t);
  const pem = await maker.createKey();
  await assert.rejects(stranger.loadKey(pem), { name: 'TssError', code: 'KEY_LOST', rc: 0x1df });
});

test('refuses a key that is not bound to its TPM, before the TPM is asked', async (t) => {
  const { tpm } = await openTestTpm(t);
  const blob = readKeyFile(await tpm.createKey());
  // TPM2B_PUBLIC: size, type and nameAlg, each of two bytes, then the attributes; fixedTPM is bit 1 (part 2, §8.3).
  const lastOfAttributes = 2 + 2 + 2 + 3;
  const publicArea = Buffer.from(blob.publicArea);
  assert.equal((publicArea[lastOfAttributes] ?? 0) & 2, 2);
  publicArea[lastOfAttributes] = (publicArea[lastOfAttributes] ?? 0) & ~2;
  await assert.rejects(tpm.loadKey(writeKeyFile({ ...blob, publicArea })), {
    code: 'KEY_INVALID',
    message: /can leave this TPM/,
  });
});

test('refuses digests that are not 32 bytes long', async (t) => {
  const key = await loadTestKey(t);
  for (const length of [0, 31, 33, 64]) {
    await assert.rejects(key.sign(Buffer.alloc(length)), { code: 'ARGUMENT_INVALID' });
  }
  await assert.rejects(key.sign('x'.repeat(32) as unknown as Uint8Array), { code: 'ARGUMENT_INVALID' });
});

test('refuses to sign with a key that was closed', async (t) => {
  const { tpm } = await openTestTpm(t);
  const key = await tpm.loadKey(await tpm.createKey());
  await key.close();
  await key.close();
  await assert.rejects(key.sign(digest), { code: 'KEY_CLOSED' });
});

test('refuses every call once the TPM was closed', async (t) => {
  const { tpm } = await openTestTpm(t);
  const key = await tpm.loadKey(await tpm.createKey());
  await tpm.close();
  await tpm.close();
  await assert.rejects(key.sign(digest), { code: 'KEY_CLOSED' });
  await assert.rejects(tpm.createKey(), { code: 'KEY_CLOSED' });
});

test('refuses software keys that are encrypted, not P-256 or no key', () => {
  const { privateKey } = createKey();
  const encrypted = privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString();
  for (const pem of [encrypted, '', 'not a key', keyPem(privateKey).slice(0, 80)]) {
    assert.throws(() => softwareKey(pem), { name: 'TssError', code: 'KEY_INVALID' });
  }
});

test('creates a key whose signatures verify with its public key', async (t) => {
  const key = await loadTestKey(t);
  assert.equal(key.protection, 'tpm');
  assert.equal(await verifies(key), true);
});

test('signs with a software key as well', async () => {
  const key = softwareKey(keyPem(createKey().privateKey));
  assert.equal(key.protection, 'software');
  assert.equal(await verifies(key), true);
});

test('keeps a key across restarts of the TPM and of its client', async (t) => {
  const first = await openTestTpm(t);
  const pem = await first.tpm.createKey();
  const { publicKey } = await first.tpm.loadKey(pem);
  await first.tpm.close();
  const second = await openTpm({ tcti: first.emulator.tcti });
  t.after(() => second.close());
  const key = await second.loadKey(pem);
  assert.deepEqual(key.publicKey, publicKey);
  assert.equal(await verifies(key), true);
});

test('gives every key a public key of its own', async (t) => {
  const { tpm } = await openTestTpm(t);
  const keys = await Promise.all([1, 2, 3, 4, 5].map(async () => tpm.loadKey(await tpm.createKey())));
  assert.equal(new Set(keys.map((key) => key.publicKey.toString('hex'))).size, keys.length);
  assert.deepEqual(await Promise.all(keys.map(verifies)), [true, true, true, true, true]);
});

test('leaves no transient object in the TPM behind a signature', async (t) => {
  const { tpm, emulator } = await openTestTpm(t);
  const key = await tpm.loadKey(await tpm.createKey());
  await Promise.all(Array.from({ length: 20 }, () => key.sign(randomBytes(32))));
  assert.equal((await tpm.info()).transientObjects, 0);
  await tpm.close();
  assert.deepEqual(transientHandles(emulator), []);
});

test('signs on after the TPM was restarted underneath it', async (t) => {
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti });
  t.after(() => tpm.close());
  const key = await tpm.loadKey(await tpm.createKey());
  emulator.process.kill('SIGKILL');
  // Until it is gone, its socket still accepts and could be taken for the next one's.
  await once(emulator.process, 'exit');
  const restarted = await startSwtpm({ folder: emulator.folder });
  t.after(() => restarted.stop());
  t.after(() => emulator.stop());
  assert.equal(await verifies(key), true);
  assert.equal((await tpm.info()).transientObjects, 0);
});

test('lets files be read while many signatures wait for a TPM that stands still', async (t) => {
  const { tpm, emulator } = await openTestTpm(t);
  const key = await tpm.loadKey(await tpm.createKey());
  emulator.process.kill('SIGSTOP');
  let signed = 0;
  // More than libuv's pool has threads: were they taken, no file could be read.
  const signatures = Array.from({ length: 16 }, () => key.sign(digest).then(() => signed++));
  assert.ok((await readFile('package.json')).length > 0);
  assert.equal(signed, 0);
  emulator.process.kill('SIGCONT');
  await Promise.all(signatures);
  assert.equal(signed, 16);
});

test('tells the maker and firmware of the TPM', async (t) => {
  const { tpm } = await openTestTpm(t);
  const { manufacturer, firmware } = await tpm.info();
  assert.equal(manufacturer, 'IBM');
  assert.match(firmware, /^\d+\.\d+\.\d+\.\d+$/);
});

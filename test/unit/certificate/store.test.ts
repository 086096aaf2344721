import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { softwareKey } from 'node-tss';
import { checkCertificate } from '../../../electron/certificate/check.ts';
import { createCertificateStore, type Judge } from '../../../electron/certificate/store.ts';
import { refusedByTls } from '../../../electron/mtls/connector.ts';
import { createHierarchy } from '../../support/certificate-hierarchy.ts';
import { createAuthority, createKey, keyPem } from '../../support/certificates.ts';
import { createDevice, dayMs, deviceCertificatePem } from '../../support/device-certificates.ts';
import { clientCertificate } from '../../support/tls-identities.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-certificate-'));
after(() => rm(folder, { recursive: true }));

const nowMs = Date.now();
const authority = createAuthority('Test devices', new Date(nowMs - 100 * dayMs));
const device = createDevice();
const good = deviceCertificatePem(authority, device.publicKey, nowMs);
const judgeAt =
  (atMs: number): Judge =>
  (chain) =>
    checkCertificate(chain, device.spki, authority.certificatePem, atMs);

const anyway = () => true;

let count = 0;
const newFile = () => join(folder, `certificate-${count++}.pem`);

test('refuses a certificate for another key and keeps the good one', async () => {
  const file = newFile();
  const store = createCertificateStore(file, judgeAt(nowMs), anyway);
  await store.save([good]);
  const other = deviceCertificatePem(authority, createDevice().publicKey, nowMs);
  assert.deepEqual(await store.save([other]), { ok: false, reason: 'key-mismatch' });
  assert.equal(await readFile(file, 'utf8'), good);
});

test('refuses a certificate in a form that could not be read back, and keeps the good one', async () => {
  const file = newFile();
  const store = createCertificateStore(file, judgeAt(nowMs), anyway);
  await store.save([good]);
  // OpenSSL takes this label for a certificate too; the file's reader does not.
  const oldLabel = good.replaceAll(' CERTIFICATE-----', ' X509 CERTIFICATE-----');
  assert.deepEqual(await store.save([oldLabel]), { ok: false, reason: 'invalid' });
  assert.equal(await readFile(file, 'utf8'), good);
});

/** A store with a good certificate that is renewed over an intermediate authority, which the root has signed with `digest`. */
async function renewedOver(digest: 'sha1' | 'sha256') {
  const file = newFile();
  const key = softwareKey(keyPem(createKey().privateKey));
  const { rootPem, intermediate } = createHierarchy(digest);
  const anchors = [authority.certificatePem, rootPem].join('\n');
  const store = createCertificateStore(
    file,
    (chain) => checkCertificate(chain, key.publicKey, anchors, Date.now()),
    (chainPem) => refusedByTls(key, chainPem) === null,
  );
  const old = clientCertificate(authority, key);
  await store.save([old]);
  const chain = [clientCertificate(intermediate, key), intermediate.certificatePem];
  const saved = await store.save(chain);
  return { old, renewed: chain.join(''), saved, stored: await readFile(file, 'utf8'), key };
}

test('a renewal whose chain TLS would refuse for an old signature is refused, and the good one kept', async () => {
  const { old, renewed, saved, stored, key } = await renewedOver('sha1');
  assert.deepEqual(saved, { ok: false, reason: 'unusable' });
  assert.equal(stored, old);
  assert.match(refusedByTls(key, renewed)?.message ?? '', /too weak/);
});

test('a renewal over an intermediate authority is kept with its chain', async () => {
  const { renewed, stored } = await renewedOver('sha256');
  assert.equal(stored, renewed);
});

test('what TLS cannot tell is an error, and no refusal', async () => {
  const key = softwareKey(keyPem(createKey().privateKey));
  await key.close();
  assert.throws(() => refusedByTls(key, good), { code: 'INTERNAL' });
});

test('refuses a stored certificate that was swapped for another key’s', async () => {
  const file = newFile();
  await writeFile(file, deviceCertificatePem(authority, createDevice().publicKey, nowMs));
  assert.deepEqual(await createCertificateStore(file, judgeAt(nowMs), anyway).load(), {
    ok: false,
    reason: 'key-mismatch',
  });
});

test('refuses a stored certificate that was damaged or cut to nothing', async () => {
  const file = newFile();
  const store = createCertificateStore(file, judgeAt(nowMs), anyway);
  for (const text of ['', 'hello', good.slice(0, 300)]) {
    await writeFile(file, text);
    assert.deepEqual(await store.load(), { ok: false, reason: 'invalid' });
  }
});

test('judges a stored certificate again: one that has expired since is refused', async () => {
  const file = newFile();
  await createCertificateStore(file, judgeAt(nowMs), anyway).save([good]);
  const later = createCertificateStore(file, judgeAt(nowMs + 31 * dayMs), anyway);
  const verdict = await later.load();
  assert.ok(verdict !== undefined && 'ok' in verdict);
  assert.equal(verdict.reason, 'dates');
});

test('a folder that is not there is reported as a state that cannot be written', async () => {
  const store = createCertificateStore(join(folder, 'absent', 'certificate.pem'), judgeAt(nowMs), anyway);
  await assert.rejects(store.save([good]), { code: 'STATE_UNWRITABLE' });
});

test('keeps a good certificate for the player’s user alone and reads the same back', async () => {
  const file = newFile();
  const store = createCertificateStore(file, judgeAt(nowMs), anyway);
  assert.equal(await store.load(), undefined);
  const saved = await store.save([` \r\n${good}\n`]);
  assert.deepEqual(saved, await store.load());
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('forgets a certificate, and forgetting nothing is no error', async () => {
  const store = createCertificateStore(newFile(), judgeAt(nowMs), anyway);
  await store.save([good]);
  await store.forget();
  await store.forget();
  assert.equal(await store.load(), undefined);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { softwareKey } from 'node-tss';
import { certificateRequest } from '../../../electron/csr/request.ts';
import { createKey, keyPem } from '../../support/certificates.ts';
import { openssl } from '../../support/openssl.ts';

/** openssl 3.0 exits with 0 whatever it finds: its words count. */
function opensslAccepts(pem: string): boolean {
  const { stderr } = spawnSync('openssl', ['req', '-verify', '-noout'], { encoding: 'utf8', input: pem });
  assert.match(stderr, /verify (OK|failure)/);
  return /self-signature verify OK/.test(stderr);
}

const key = softwareKey(keyPem(createKey().privateKey));

test('refuses a name that cannot be a common name', async () => {
  for (const name of ['', 'x'.repeat(65), 'café', 'line\nfeed', '\u0000'])
    await assert.rejects(certificateRequest(name, key), { code: 'REQUEST_INVALID' });
});

test('refuses to hand out a request that another key signed', async () => {
  const other = softwareKey(keyPem(createKey().privateKey));
  const signer = { publicKey: key.publicKey, sign: (digest: Uint8Array) => other.sign(digest) };
  await assert.rejects(certificateRequest('screen', signer), { code: 'REQUEST_INVALID' });
});

test('refuses to hand out a request whose signature is over something else', async () => {
  const signer = { publicKey: key.publicKey, sign: () => key.sign(new Uint8Array(32)) };
  await assert.rejects(certificateRequest('screen', signer), { code: 'REQUEST_INVALID' });
});

test('a signer that fails is heard as it is', async () => {
  const failure = new Error('the TPM is in lockout');
  const signer = { publicKey: key.publicKey, sign: () => Promise.reject(failure) };
  await assert.rejects(certificateRequest('screen', signer), failure);
});

test('the signer sees a SHA-256 digest and nothing else', async () => {
  const seen: number[] = [];
  const sign = (digest: Uint8Array) => {
    seen.push(digest.length);
    return key.sign(digest);
  };
  await certificateRequest('screen', { publicKey: key.publicKey, sign });
  assert.deepEqual(seen, [32]);
});

test('openssl accepts the request, and it carries the name and our public key', async () => {
  const pem = await certificateRequest('srly-4shnfrdc5cd2p0p', key);
  assert.equal(opensslAccepts(pem), true);
  const text = openssl(['req', '-noout', '-subject', '-pubkey'], { input: pem });
  assert.match(text, /subject=CN ?= ?srly-4shnfrdc5cd2p0p/);
  const publicKey = createPublicKey(text.slice(text.indexOf('-----BEGIN PUBLIC KEY')));
  assert.deepEqual(publicKey.export({ type: 'spki', format: 'der' }), key.publicKey);
});

test('openssl refuses the same request once a byte of it is changed', async () => {
  const pem = await certificateRequest('screen', key);
  const der = Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
  const at = der.indexOf('screen');
  der[at] = (der[at] ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.equal(opensslAccepts(forged), false);
});

test('every length of a signature’s numbers comes out right', async () => {
  // r and s lose a byte, or gain a leading zero, in every second to 256th signature.
  for (let round = 0; round < 300; round++) {
    const pem = await certificateRequest(`screen-${round}`, key);
    assert.match(pem, /^-----BEGIN CERTIFICATE REQUEST-----\n(.{1,64}\n)+-----END CERTIFICATE REQUEST-----\n$/);
    if (round % 30 === 0) assert.equal(opensslAccepts(pem), true);
  }
});

test('refuses a public key that is none', async () => {
  await assert.rejects(certificateRequest('screen', { publicKey: Buffer.from('hello'), sign: key.sign }));
  const { publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  await assert.rejects(certificateRequest('screen', { publicKey: spki, sign: key.sign }));
});

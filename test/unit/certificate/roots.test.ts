import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFingerprint, judgeRoots } from '../../../electron/certificate/roots.ts';
import { createAuthority, createKey, toPem } from '../../support/certificates.ts';

const nowMs = Date.now();
const [pinned, next] = ['Pinned', 'Next'].map((name) => createAuthority(name).certificatePem) as [string, string];

test('takes the roots that are not pinned, once each', () => {
  assert.deepEqual(judgeRoots([pinned, next, next], pinned, nowMs), [next]);
  assert.deepEqual(judgeRoots([pinned], pinned, nowMs), []);
});

/** Its last bit turned over. */
function forged(certificate: string): string {
  const der = Buffer.from(certificate.replaceAll(/-----[^-]+-----/g, ''), 'base64');
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  return toPem('CERTIFICATE', der);
}

const authority = createAuthority('Issuer');
const leaf = authority.issue({
  commonName: 'no root',
  publicKey: createKey().publicKey,
  notBefore: new Date(nowMs - 1_000),
  notAfter: new Date(nowMs + 60_000),
  purposes: ['clientAuth'],
}).pem;
const bad: readonly [string, readonly string[]][] = [
  ['what is no certificate', ['nothing']],
  ['a leaf', [leaf]],
  ['several in one', [`${next}${pinned}`]],
  ['one that is no longer valid', [createAuthority('Old', new Date(nowMs - 11 * 366 * 86_400_000)).certificatePem]],
  ['one that is not valid yet', [createAuthority('New', new Date(nowMs + 86_400_000)).certificatePem]],
  ['one whose signature is another', [forged(next)]],
  ['more than ever needed', Array.from({ length: 9 }, () => next)],
];
for (const [name, roots] of bad)
  test(`refuses ${name}, and the good ones with it`, () => {
    assert.equal(judgeRoots([...roots, next].slice(0, 9), pinned, nowMs), null);
  });

test('names a certificate by the SHA-256 of its DER', () => {
  assert.match(certificateFingerprint(next), /^[0-9a-f]{64}$/);
});

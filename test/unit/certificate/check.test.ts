import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { checkCertificate } from '../../../electron/certificate/check.ts';
import { createHierarchy } from '../../support/certificate-hierarchy.ts';
import { createAuthority, toPem } from '../../support/certificates.ts';
import { createDevice, dayMs, deviceCertificatePem } from '../../support/device-certificates.ts';
import { openssl } from '../../support/openssl.ts';

const nowMs = Date.now();
const authority = createAuthority('Test devices', new Date(nowMs - 100 * dayMs));
const anchors = authority.certificatePem;
const device = createDevice();
const good = deviceCertificatePem(authority, device.publicKey, nowMs);
const refusal = (reason: string) => ({ ok: false, reason });

test('refuses a certificate for another key', () => {
  assert.deepEqual(checkCertificate([good], createDevice().spki, anchors, nowMs), refusal('key-mismatch'));
});

test('refuses a certificate of another authority, also one of the same name', () => {
  for (const name of ['Somebody else', 'Test devices']) {
    const other = deviceCertificatePem(createAuthority(name), device.publicKey, nowMs);
    assert.deepEqual(checkCertificate([other], device.spki, anchors, nowMs), refusal('untrusted'));
  }
});

test('refuses a foreign authority that the server sends along as part of the chain', () => {
  const foreign = createAuthority('Somebody else');
  const chain = [deviceCertificatePem(foreign, device.publicKey, nowMs), foreign.certificatePem];
  assert.deepEqual(checkCertificate(chain, device.spki, anchors, nowMs), refusal('untrusted'));
});

test('refuses every certificate when there is no anchor', () => {
  assert.deepEqual(checkCertificate([good], device.spki, '', nowMs), refusal('untrusted'));
});

test('refuses a certificate that is not for client authentication', () => {
  for (const purposes of [[], ['serverAuth']] as const) {
    const other = deviceCertificatePem(authority, device.publicKey, nowMs, { purposes });
    assert.deepEqual(checkCertificate([other], device.spki, anchors, nowMs), refusal('usage'));
  }
});

test('refuses the certificate of an authority in the place of a device’s', () => {
  const spki = createPublicKey(authority.privateKey).export({ type: 'spki', format: 'der' });
  assert.deepEqual(checkCertificate([anchors], spki, anchors, nowMs), refusal('usage'));
});

test('refuses an authority’s certificate also when it may be used by clients', () => {
  const pem = openssl([
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'],
    ...['-subj', '/CN=Both', '-addext', 'extendedKeyUsage=clientAuth'],
  ]);
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  assert.deepEqual(checkCertificate([pem], spki, pem, nowMs + 60_000), refusal('usage'));
});

test('refuses a device certificate in the place of an issuer', () => {
  // A device that plays authority: it signs with the key that its own, good certificate is for.
  const otherDevice = createAuthority('screen');
  const itsCertificate = deviceCertificatePem(authority, createPublicKey(otherDevice.privateKey), nowMs);
  const chain = [deviceCertificatePem(otherDevice, device.publicKey, nowMs), itsCertificate];
  assert.deepEqual(checkCertificate(chain, device.spki, anchors, nowMs), refusal('untrusted'));
});

test('refuses a certificate before and after its life, and takes it at both ends', () => {
  const fromMs = Math.floor(nowMs / 1000) * 1000;
  const toMs = fromMs + dayMs;
  const pem = deviceCertificatePem(authority, device.publicKey, nowMs, { fromMs, toMs });
  for (const [atMs, ok] of [
    [fromMs - 1, false],
    [fromMs, true],
    [toMs, true],
    [toMs + 1, false],
  ] as const) {
    const verdict = checkCertificate([pem], device.spki, anchors, atMs);
    assert.deepEqual(
      verdict,
      ok ? { ok, notBeforeMs: fromMs, notAfterMs: toMs } : { ...refusal('dates'), notAfterMs: toMs },
      String(atMs),
    );
  }
});

test('refuses a certificate whose authority has expired', () => {
  // Ten years of life, of which ten days are left; the device's own certificate has thirty.
  const old = createAuthority('Old devices', new Date(nowMs - (3_652 - 10) * dayMs));
  const pem = deviceCertificatePem(old, device.publicKey, nowMs);
  const judgedAt = (atMs: number) => checkCertificate([pem], device.spki, old.certificatePem, atMs);
  assert.equal(judgedAt(nowMs + 9 * dayMs).ok, true);
  const verdict = judgedAt(nowMs + 11 * dayMs);
  assert.ok(!verdict.ok && verdict.reason === 'dates');
});

test('refuses by the key before it looks at anything else', () => {
  const expired = deviceCertificatePem(createAuthority('x'), device.publicKey, nowMs, { toMs: nowMs - 1 });
  assert.deepEqual(checkCertificate([expired], createDevice().spki, anchors, nowMs), refusal('key-mismatch'));
});

test('refuses what is no certificate', () => {
  const cut = `${good.slice(0, 200)}\n-----END CERTIFICATE-----\n`;
  for (const chain of [[], [''], ['hello'], [cut], [good, 'hello'], [good, cut]])
    assert.deepEqual(checkCertificate(chain, device.spki, anchors, nowMs), refusal('invalid'));
  const brokenAnchor = anchors.replace(/\n.{20}/, '\n');
  assert.deepEqual(checkCertificate([good], device.spki, brokenAnchor, nowMs), refusal('invalid'));
});

test('refuses a certificate whose public key is of a kind that nobody can read', () => {
  const der = Buffer.from(good.replace(/-----.*-----|\s/g, ''), 'base64');
  const curve = Buffer.from('06082a8648ce3d030107', 'hex');
  der[der.indexOf(curve) + curve.length - 1] = 0x7e;
  assert.deepEqual(checkCertificate([toPem('CERTIFICATE', der)], device.spki, anchors, nowMs), refusal('invalid'));
});

test('refuses a certificate in which one bit of the content was changed', () => {
  const der = Buffer.from(good.replace(/-----.*-----|\s/g, ''), 'base64');
  const name = der.lastIndexOf('screen');
  assert.ok(name > 0);
  der[name] = (der[name] ?? 0) ^ 1;
  assert.deepEqual(checkCertificate([toPem('CERTIFICATE', der)], device.spki, anchors, nowMs), refusal('untrusted'));
});

test('accepts a certificate of its authority, whatever other authorities are trusted as well', () => {
  const bundle = `# two authorities\n${createAuthority('Other').certificatePem}${anchors}`;
  assert.equal(checkCertificate([good], device.spki, bundle, nowMs).ok, true);
});

test('accepts through an intermediate when the chain holds it, and refuses when it does not', () => {
  const { rootPem, intermediate } = createHierarchy();
  const leaf = deviceCertificatePem(intermediate, device.publicKey, nowMs);
  const verdict = checkCertificate([leaf, intermediate.certificatePem], device.spki, rootPem, nowMs + 60_000);
  assert.equal(verdict.ok, true);
  assert.deepEqual(checkCertificate([leaf], device.spki, rootPem, nowMs + 60_000), refusal('untrusted'));
});

/** Who is on the other end of a mutual TLS connection. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Refusal } from './refusal.ts';
import type { Screens } from './screens.ts';
import type { ScreenRecord } from './state-file.ts';

/** id-kp-clientAuth (RFC 5280 §4.2.1.12). */
const clientAuthOid = '1.3.6.1.5.5.7.3.2';

/**
 * The screen behind a connection.
 *
 * `socket.authorized` alone does not do: a resumed session without a client certificate reads as authorized, and
 * a certificate may end while its connection lives. So the certificate itself is looked at, at every request: it must
 * be, byte for byte, one that was issued for a screen.
 * @throws Refusal 401 no valid certificate, 403 revoked or not ours, 410 the screen was removed
 */
export function identifyScreen(socket: TLSSocket, screens: Screens, nowMs: number): ScreenRecord {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Refusal(401, 'certificate-required', 'A client certificate is required.');
  if (certificate.keyUsage?.includes(clientAuthOid) !== true) throw invalid();
  const record = screens.certificate(certificate.serialNumber.toLowerCase());
  const isOurs = record !== undefined && isThis(certificate, record.digest, socket.authorized);
  // What is ours is dated by our own clock, whatever TLS thinks of it; what is not must at least come from our issuer.
  if (!isOurs && !socket.authorized) throw invalid();
  if (!isDated(certificate, nowMs)) throw expired();
  if (!isOurs) throw new Refusal(403, 'certificate-unknown', 'The client certificate is not known.');
  const screen = screens.find(record.screenId);
  if (screen === undefined || screen.removedAtMs !== null) {
    throw new Refusal(410, 'screen-removed', 'This screen was removed.');
  }
  if (record.revoked) throw new Refusal(403, 'certificate-revoked', 'The client certificate is revoked.');
  return screen;
}

/**
 * @param digest SHA-256, hex; empty in records of earlier versions, which knew serial numbers only
 * @param authorized the chain holds, dates included
 */
function isThis(certificate: X509Certificate, digest: string, authorized: boolean): boolean {
  return digest === '' ? authorized : createHash('sha256').update(certificate.raw).digest('hex') === digest;
}

function isDated(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
}

const invalid = () => new Refusal(401, 'certificate-invalid', 'The client certificate is not valid here.');
const expired = () => new Refusal(401, 'certificate-expired', 'The client certificate is not valid now.');

/** SHA-256 of the client certificate's key (SubjectPublicKeyInfo), hex; empty without a certificate. */
export function keyOf(socket: TLSSocket): string {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
  return key === undefined ? '' : createHash('sha256').update(key).digest('hex');
}

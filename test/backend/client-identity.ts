/** Who is on the other end of a mutual TLS connection. */
import { X509Certificate } from 'node:crypto';
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
 * a certificate may end while its connection lives. So the certificate itself is looked at, at every request.
 * @throws Refusal 401 no valid certificate, 403 revoked or not ours, 410 the screen was removed
 */
export function identifyScreen(socket: TLSSocket, screens: Screens, authorityPem: string, nowMs: number): ScreenRecord {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Refusal(401, 'certificate-required', 'A client certificate is required.');
  const authority = new X509Certificate(authorityPem);
  const isOurs =
    socket.authorized &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey) &&
    certificate.keyUsage?.includes(clientAuthOid) === true;
  if (!isOurs) throw new Refusal(401, 'certificate-invalid', 'The client certificate is not valid here.');
  if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo)) {
    throw new Refusal(401, 'certificate-expired', 'The client certificate is not valid now.');
  }
  const record = screens.certificate(certificate.serialNumber.toLowerCase());
  if (record === undefined) throw new Refusal(403, 'certificate-unknown', 'The client certificate is not known.');
  const screen = screens.find(record.screenId);
  if (screen === undefined || screen.removedAtMs !== null) {
    throw new Refusal(410, 'screen-removed', 'This screen was removed.');
  }
  if (record.revoked) throw new Refusal(403, 'certificate-revoked', 'The client certificate is revoked.');
  return screen;
}

/** PKCS#10 requests (RFC 2986) with a software key, for tests that stand in for a player. */
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { ecdsaWithSHA256 } from '@peculiar/asn1-ecc';
import { AsnConvert } from '@peculiar/asn1-schema';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { nameOf, toPem } from './certificates.ts';

/**
 * A request for `commonName`, signed with `privateKey`.
 * @param claimedKey the public key put into the request; the signer's own where absent (another one makes a forgery)
 */
export function createRequest(commonName: string, privateKey: KeyObject, claimedKey?: KeyObject): string {
  const publicKey = claimedKey ?? createPublicKey(privateKey);
  const certificationRequestInfo = new CertificationRequestInfo({
    subject: nameOf(commonName),
    subjectPKInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(certificationRequestInfo)), privateKey);
  const request = new CertificationRequest({
    certificationRequestInfo,
    signatureAlgorithm: ecdsaWithSHA256,
    signature: new Uint8Array(signature).buffer,
  });
  return toPem('CERTIFICATE REQUEST', new Uint8Array(AsnConvert.serialize(request)));
}

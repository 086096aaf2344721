import { createHash, verify } from 'node:crypto';
import { Attributes, CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { ECDSASigValue } from '@peculiar/asn1-ecc';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
} from '@peculiar/asn1-x509';
import { PlayerError } from '../errors.ts';

/** What the request needs of the device key. */
export interface Signer {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** ECDSA over a 32-byte SHA-256 digest → Ecdsa-Sig-Value, DER. */
  sign(digest: Uint8Array): Promise<Buffer>;
}

const commonName = '2.5.4.3';
const ecdsaWithSha256 = '1.2.840.10045.4.3.2';

/**
 * A PKCS#10 certificate request (RFC 2986) whose signature is made by `signer`,
 * checked with the public key before it leaves.
 * @param hostname subject CN, 1 … 64 ASCII characters
 * @param attribute Attribute (RFC 2986 §4.1), DER: evidence that goes with the request
 * @returns `CERTIFICATE REQUEST` PEM (RFC 7468)
 * @throws PlayerError REQUEST_INVALID; whatever the signer throws
 */
export async function certificateRequest(
  hostname: string,
  signer: Signer,
  attribute: Buffer | null = null,
): Promise<string> {
  if (!/^[\x20-\x7e]{1,64}$/.test(hostname))
    throw new PlayerError('REQUEST_INVALID', 'the host name is not usable as a CN');
  const info = new CertificationRequestInfo({
    subject: subject(hostname),
    subjectPKInfo: AsnConvert.parse(signer.publicKey, SubjectPublicKeyInfo),
    attributes: new Attributes(attribute === null ? [] : [AsnConvert.parse(attribute, Attribute)]),
  });
  const signed = Buffer.from(AsnConvert.serialize(info));
  const signature = await signer.sign(createHash('sha256').update(signed).digest());
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
    signature: AsnConvert.serialize(AsnConvert.parse(signature, ECDSASigValue)),
  });
  const publicKey = { key: signer.publicKey, format: 'der', type: 'spki' } as const;
  if (!verify('sha256', signed, publicKey, signature))
    throw new PlayerError('REQUEST_INVALID', 'the signature does not verify with the device key');
  return pem('CERTIFICATE REQUEST', Buffer.from(AsnConvert.serialize(request)));
}

function subject(hostname: string): Name {
  const value = new AttributeValue({ utf8String: hostname });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })])]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

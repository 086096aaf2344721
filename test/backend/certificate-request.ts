/** Reading a PKCS#10 request (RFC 2986) as an authority must: strictly, and with proof of possession. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CertificationRequest } from '@peculiar/asn1-csr';
import { id_ecdsaWithSHA256 } from '@peculiar/asn1-ecc';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Refusal } from './refusal.ts';

/** X.520 commonName. */
const commonNameOid = '2.5.4.3';
/** One lower-case DNS label (RFC 1123 §2.1). */
const hostnameRule = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const pemRule = /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/;

export interface AcceptedRequest {
  readonly hostname: string;
  readonly publicKey: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly fingerprint: string;
}

/**
 * Check a request: P-256, signed by its own key with ECDSA and SHA-256, and a subject of exactly CN = `hostname`.
 * @param pem at most 8 KiB
 * @throws Refusal 422
 */
export function acceptRequest(pem: string, hostname: string): AcceptedRequest {
  if (!hostnameRule.test(hostname)) throw refused('hostname-invalid', 'The hostname is not one lower-case DNS label.');
  const request = parse(pem);
  const info = request.certificationRequestInfo;
  if (info.version !== 0) throw refused('csr-invalid', 'The request is not PKCS#10 version 1.');
  const spki = Buffer.from(AsnConvert.serialize(info.subjectPKInfo));
  const publicKey = readKey(spki);
  const [name, ...moreNames] = info.subject;
  const [attribute, ...moreAttributes] = name ?? [];
  if (moreNames.length > 0 || moreAttributes.length > 0 || attribute?.type !== commonNameOid) {
    throw refused('csr-subject', 'The subject must be a common name and nothing else.');
  }
  if (attribute.value.toString() !== hostname) {
    throw refused('csr-subject', 'The common name is not the hostname.');
  }
  if (request.signatureAlgorithm.algorithm !== id_ecdsaWithSHA256) {
    throw refused('csr-signature', 'The request is not signed with ECDSA and SHA-256.');
  }
  const signed = Buffer.from(request.certificationRequestInfoRaw ?? new ArrayBuffer(0));
  if (!verify('sha256', signed, publicKey, Buffer.from(request.signature))) {
    throw refused('csr-signature', 'The request is not signed by its own key.');
  }
  return { hostname, publicKey, fingerprint: createHash('sha256').update(spki).digest('hex') };
}

function parse(pem: string): CertificationRequest {
  const base64 = pemRule.exec(pem)?.[1];
  if (base64 === undefined || pem.length > 8192) throw refused('csr-invalid', 'The request is not PEM of PKCS#10.');
  try {
    return AsnConvert.parse(Buffer.from(base64, 'base64'), CertificationRequest);
  } catch {
    throw refused('csr-invalid', 'The request is not DER of PKCS#10.');
  }
}

function readKey(spki: Buffer): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPublicKey({ key: spki, type: 'spki', format: 'der' });
  } catch {
    key = undefined;
  }
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw refused('csr-key', 'The key is not a valid P-256 key.');
  }
  return key;
}

function refused(code: string, message: string): Refusal {
  return new Refusal(422, code, message);
}

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { elements, encode, only, tags } from '../der.ts';
import { AttestationError } from './error.ts';

const MAX_PEM_CHARACTERS = 8192;
const PEM = /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/;
// ecdsa-with-SHA256, without parameters (RFC 5758 §3.2).
const ECDSA_WITH_SHA256 = '06082a8648ce3d040302';

export interface CertificateRequest {
  /** PKCS#10, byte for byte: what the qualifying data binds. */
  readonly der: Buffer;
  readonly publicKey: KeyObject;
}

/**
 * A PKCS#10 request (RFC 2986) of a P-256 key, its signature not checked yet.
 * @throws AttestationError REQUEST_INVALID
 */
export function readCertificateRequest(pem: string): CertificateRequest & { readonly hasOwnSignature: boolean } {
  const base64 = pem.length <= MAX_PEM_CHARACTERS ? PEM.exec(pem)?.[1] : undefined;
  if (base64 === undefined) throw new AttestationError('REQUEST_INVALID', 'the request is not PEM of PKCS#10');
  const der = Buffer.from(base64, 'base64');
  try {
    const [info, algorithm, signature, ...rest] = elements(only(der, tags.sequence, 'no request'), 3);
    const spki = elements(info?.contents ?? Buffer.alloc(0), 4)[2];
    if (info === undefined || spki === undefined || signature?.contents[0] !== 0 || rest.length > 0)
      throw new Error('fields');
    const publicKey = createPublicKey({ key: encode(spki.tag, spki.contents), format: 'der', type: 'spki' });
    const signed = encode(info.tag, info.contents);
    const own =
      algorithm?.contents.toString('hex') === ECDSA_WITH_SHA256 &&
      publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
      verify('sha256', signed, publicKey, signature.contents.subarray(1));
    return { der, publicKey, hasOwnSignature: own };
  } catch (cause) {
    throw new AttestationError('REQUEST_INVALID', 'the request is not DER of PKCS#10', cause);
  }
}

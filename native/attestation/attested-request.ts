/**
 * A certificate request that carries its own evidence, for an authority that knows no protocol of ours (see
 * attestation-attribute.ts). It shows that a key lives in the TPM of an attestation key; whose TPM that is, the authority must
 * know by that key: the proof of a challenge is fresh, and this is not.
 */
import type { KeyObject } from 'node:crypto';
import {
  ATTESTATION_ATTRIBUTE,
  type CertifyStatement,
  ownQualifyingData,
  TPM_CERTIFY,
} from '../attestation-attribute.ts';
import { type Element, elements, encode, only, tags } from '../der.ts';
import { checkSignature, readCertifiedKey } from './attest.ts';
import { readCertificateRequest } from './certificate-request.ts';
import { AttestationError } from './error.ts';
import { attributes, type PublicArea, readPublicArea } from './public-area.ts';
import { sized } from './reader.ts';

const set = 0x31;
/** `[0] IMPLICIT Attributes` of a CertificationRequestInfo (RFC 2986 §4.1). */
const requestAttributes = 0xa0;
const mostAttributes = 16;
const mostCertificates = 8;

export interface AttestedRequest extends CertifyStatement {
  /** X.509, DER: what may help to know the attestation key by. Nothing of them is verified here. */
  readonly certificates: readonly Buffer[];
}

/**
 * The evidence in a request; null where it carries none of this kind. Nothing is judged yet.
 * @param csrPem PKCS#10
 * @throws AttestationError REQUEST_INVALID
 */
export function readAttestedRequest(csrPem: string): AttestedRequest | null {
  const { der } = readCertificateRequest(csrPem);
  try {
    const [info] = elements(only(der, tags.sequence, 'no request'), 3);
    const given = elements(info?.contents ?? Buffer.alloc(0), 4).find(({ tag }) => tag === requestAttributes);
    const found = elements(given?.contents ?? Buffer.alloc(0), mostAttributes)
      .map(({ contents }) => elements(contents, 2))
      .filter(([type]) => type?.tag === tags.oid && type.contents.equals(ATTESTATION_ATTRIBUTE));
    if (found.length === 0) return null;
    if (found.length > 1) throw new Error('the attribute comes twice');
    return readBundle(only(contentsOf(found[0]?.[1], set), tags.sequence, 'no bundle'));
  } catch (cause) {
    throw new AttestationError('REQUEST_INVALID', 'the attestation in the request does not parse', cause);
  }
}

function readBundle(bundle: Buffer): AttestedRequest | null {
  const [statements, certificates, ...rest] = elements(bundle, 2);
  if (rest.length > 0) throw new Error('more than statements and certificates');
  const ours = elements(contentsOf(statements, tags.sequence), mostAttributes)
    .map(({ tag, contents }) => elements(contentsOf({ tag, contents }, tags.sequence), 2))
    .find(([type]) => type?.tag === tags.oid && type.contents.equals(TPM_CERTIFY));
  if (ours === undefined) return null;
  const [info, signature, area] = elements(contentsOf(ours[1], tags.sequence), 3).map((part) =>
    contentsOf(part, tags.octets),
  );
  if (info === undefined || signature === undefined || area === undefined) throw new Error('no public area');
  const chain = certificates === undefined ? [] : elements(contentsOf(certificates, tags.sequence), mostCertificates);
  return {
    certifyInfo: info,
    certifySignature: signature,
    keyPublic: sized(area),
    certificates: chain.map(({ tag, contents }) => encode(tag, contents)),
  };
}

function contentsOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new Error('another element');
  return element.contents;
}

/**
 * Judge the evidence in a request: the attestation key's TPM holds the key that the request is for, made there and
 * never to leave it.
 * @param attestationKey whose word is believed, because an earlier challenge or a certificate has proved it
 * @returns the key's public area
 * @throws AttestationError REQUEST_INVALID where there is no evidence; REQUEST_SIGNATURE, REQUEST_KEY_MISMATCH,
 * ATTEST_NAME, ATTEST_NONCE, ATTEST_TYPE, KEY_ATTRIBUTES, SIGNATURE_INVALID, STRUCTURE_INVALID
 */
export function verifyAttestedRequest(csrPem: string, attestationKey: KeyObject): PublicArea {
  const { publicKey, hasOwnSignature } = readCertificateRequest(csrPem);
  if (!hasOwnSignature) throw new AttestationError('REQUEST_SIGNATURE', 'the request is not signed by its own key');
  const evidence = readAttestedRequest(csrPem);
  if (evidence === null) throw new AttestationError('REQUEST_INVALID', 'the request carries no attestation');
  checkSignature(evidence.certifySignature, evidence.certifyInfo, attestationKey);
  const { name, extraData } = readCertifiedKey(evidence.certifyInfo);
  const key = readPublicArea(evidence.keyPublic, 'key_public');
  if (!name.equals(key.name)) throw new AttestationError('ATTEST_NAME', 'the TPM has certified another key');
  if (!publicKey.equals(key.publicKey))
    throw new AttestationError('REQUEST_KEY_MISMATCH', 'the request is for another key than the certified one');
  if (!extraData.equals(ownQualifyingData(publicKey.export({ format: 'der', type: 'spki' }))))
    throw new AttestationError('ATTEST_NONCE', 'this certification was made for another purpose');
  const { fixedTpm, fixedParent, sensitiveDataOrigin, sign, restricted, decrypt } = attributes;
  const wanted = fixedTpm | fixedParent | sensitiveDataOrigin | sign;
  if ((key.attributes & wanted) !== wanted || (key.attributes & (restricted | decrypt)) !== 0)
    throw new AttestationError('KEY_ATTRIBUTES', 'the key has other attributes than it must have');
  return key;
}

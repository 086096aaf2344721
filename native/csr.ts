import { createHash, verify } from 'node:crypto';
import type { SigningKey } from './api.ts';
import { encode, tags } from './der.ts';
import { encodeName } from './distinguished-name.ts';
import { TssError } from './error.ts';

const BIT_STRING = 0x03;
// ecdsa-with-SHA256, 1.2.840.10045.4.3.2, without parameters (RFC 5758 §3.2).
const ECDSA_WITH_SHA256 = encode(tags.sequence, encode(tags.oid, Buffer.from('2a8648ce3d040302', 'hex')));

/**
 * A PKCS#10 certificate request (RFC 2986) for a key, signed by it; the signature is checked before it leaves.
 * No attributes of its own: what a device certificate needs beyond its subject is the authority's to say.
 * @param subject as RFC 4514 writes it: `CN=screen-7,O=Example`; types CN, SERIALNUMBER, C, L, ST, O, OU, DC
 * @param attribute Attribute (RFC 2986 §4.1), DER, such as `attestationAttribute` makes
 * @returns `CERTIFICATE REQUEST` PEM (RFC 7468)
 * @throws TssError ARGUMENT_INVALID for the subject; what `key.sign` throws
 */
export async function certificateRequest(
  subject: string,
  key: SigningKey,
  attribute: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const version = encode(tags.integer, Buffer.from([0]));
  const attributes = encode(tags.explicit, attribute);
  const info = encode(tags.sequence, version, encodeName(subject), key.publicKey, attributes);
  const signature = await key.sign(createHash('sha256').update(info).digest());
  // A TPM or a bus with a fault: a request that nobody can verify must not reach the authority.
  if (!verify('sha256', info, { key: key.publicKey, format: 'der', type: 'spki' }, signature)) {
    throw new TssError('TPM_FAILED', 'the signature does not verify with the key');
  }
  const noUnusedBits = Buffer.from([0]);
  const der = encode(tags.sequence, info, ECDSA_WITH_SHA256, encode(BIT_STRING, noUnusedBits, signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

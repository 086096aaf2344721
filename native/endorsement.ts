import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { AddonTpm } from './addon.ts';
import type { EndorsementKey, EndorsementKind } from './api.ts';
import { publicKeyOfArea } from './attestation/public-area.ts';

/** In the order of preference: an RSA primary takes chips seconds, and P-256 is what every TPM has. */
const kinds: readonly EndorsementKind[] = ['ecc-p256', 'ecc-p384', 'rsa-2048'];

/** The part of an NV index that is one X.509 certificate: makers leave bytes behind it. `undefined` for anything else. */
export function certificateIn(bytes: Buffer): { readonly der: Buffer; readonly publicKey: KeyObject } | undefined {
  // SEQUENCE with a length of two bytes: no certificate is shorter than 256 bytes.
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0x3082) return undefined;
  const der = Buffer.from(bytes.subarray(0, 4 + bytes.readUInt16BE(2)));
  try {
    const { publicKey } = new X509Certificate(der);
    return { der, publicKey };
  } catch {
    return undefined;
  }
}

function kindOf(key: KeyObject): EndorsementKind | undefined {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return modulusLength === 2048 ? 'rsa-2048' : undefined;
  if (namedCurve === 'prime256v1') return 'ecc-p256';
  return namedCurve === 'secp384r1' ? 'ecc-p384' : undefined;
}

/** The certified endorsement key, else the P-256 one; or the one of a kind. @throws what the addon throws */
export async function findEndorsementKey(tpm: AddonTpm, wanted?: EndorsementKind): Promise<EndorsementKey> {
  const stored = (await tpm.storedCertificates()).flatMap(({ bytes }) => certificateIn(bytes) ?? []);
  for (const kind of wanted === undefined ? kinds : [wanted]) {
    const candidates = stored.filter(({ publicKey }) => kindOf(publicKey) === kind);
    if (candidates.length === 0) continue;
    const { handle, publicArea } = await tpm.endorsement(kind);
    const own = createPublicKey(publicKeyOfArea(publicArea));
    // NV may hold the certificate of a key that was replaced, or of an authority.
    const certificate = candidates.find(({ publicKey }) => publicKey.equals(own))?.der;
    if (certificate !== undefined) return { kind, handle: handle || null, publicArea, certificate };
  }
  const kind = wanted ?? 'ecc-p256';
  const { handle, publicArea } = await tpm.endorsement(kind);
  return { kind, handle: handle || null, publicArea, certificate: null };
}

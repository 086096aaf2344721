import { createHash } from 'node:crypto';
import {
  attestationAttribute,
  type EndorsementKey,
  ownQualifyingData,
  publicAreaOf,
  type SigningKey,
  type Tpm,
  TssError,
} from 'node-tss';
import { readPrivateFile, writePrivateFile } from '../private-file.ts';
import { fromTss } from './fault.ts';

/** What a server judges before it asks for the proof; on the wire as here, base64. */
export interface Evidence {
  /** X.509 DER; `null` where the chip has none. */
  readonly ek_certificate: string | null;
  /** TPM2B_PUBLIC of the endorsement key, of the attestation key and of the device key. */
  readonly ek_public: string;
  readonly ak_public: string;
  readonly key_public: string;
}

/** The server's question, on the wire as here, base64: TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET, and its nonce. */
export interface Challenge {
  readonly credential_blob: string;
  readonly encrypted_secret: string;
  readonly nonce: string;
}

/** The proof, on the wire as here, base64: the secret, TPMS_ATTEST and TPMT_SIGNATURE of TPM2_Certify. */
export interface Answer {
  readonly secret: string;
  readonly certify_info: string;
  readonly certify_signature: string;
}

/** Proves that a key is in this TPM, and that this TPM is its maker's. */
export interface Attestor {
  /** @throws PlayerError ATTESTATION_UNAVAILABLE where the TPM has nothing to prove with, TPM_… */
  evidence(): Promise<Evidence>;
  /**
   * The evidence that a certificate request itself can carry, for an authority without a challenge: the key's
   * certification and the chip's certificate. Attribute (RFC 2986 §4.1), DER.
   * @throws PlayerError ATTESTATION_UNAVAILABLE, TPM_…
   */
  attribute(): Promise<Buffer>;
  /** @param csr the request that is proved, PEM. @throws PlayerError */
  answer(challenge: Challenge, csr: string): Promise<Answer>;
}

/**
 * @param keyPem TSS2 PRIVATE KEY of `key`
 * @param file where the attestation key is kept, wrapped like the device key: every key of this TPM is certified by it
 */
export function createAttestor(tpm: Tpm, key: SigningKey, keyPem: string, file: string): Attestor {
  let endorsement: EndorsementKey | undefined;
  const endorsementKey = async () => {
    endorsement ??= await tpm.endorsementKey();
    return endorsement;
  };
  return {
    async evidence() {
      try {
        const { certificate, publicArea } = await endorsementKey();
        const attestation = await attestationKey(tpm, file);
        return {
          ek_certificate: certificate?.toString('base64') ?? null,
          ek_public: publicArea.toString('base64'),
          ak_public: publicAreaOf(attestation).toString('base64'),
          key_public: publicAreaOf(keyPem).toString('base64'),
        };
      } catch (thrown) {
        throw fromTss(thrown);
      }
    },
    async attribute() {
      try {
        const { certificate } = await endorsementKey();
        const attestation = await attestationKey(tpm, file);
        const { attest, signature } = await tpm.certify(key, attestation, ownQualifyingData(key.publicKey));
        const statement = { certifyInfo: attest, certifySignature: signature, keyPublic: publicAreaOf(keyPem) };
        return attestationAttribute(statement, certificate === null ? [] : [certificate]);
      } catch (thrown) {
        if (thrown instanceof TssError && thrown.code === 'KEY_LOST') await makeKey(tpm, file).catch(() => undefined);
        throw fromTss(thrown);
      }
    },
    async answer(challenge, csr) {
      try {
        const { kind } = await endorsementKey();
        const attestation = await attestationKey(tpm, file);
        const [credentialBlob, encryptedSecret, nonce] = [
          challenge.credential_blob,
          challenge.encrypted_secret,
          challenge.nonce,
        ].map((text) => Buffer.from(text, 'base64')) as [Buffer, Buffer, Buffer];
        const secret = await tpm.activateCredential(kind, attestation, { credentialBlob, encryptedSecret });
        const request = Buffer.from(csr.replaceAll(/-----[^-]+-----/g, ''), 'base64');
        const bound = createHash('sha256').update(nonce).update(secret).update(request).digest();
        const { attest, signature } = await tpm.certify(key, attestation, bound);
        return {
          secret: secret.toString('base64'),
          certify_info: attest.toString('base64'),
          certify_signature: signature.toString('base64'),
        };
      } catch (thrown) {
        // Made by another TPM or before it was cleared: the next one proves as much.
        if (thrown instanceof TssError && thrown.code === 'KEY_LOST') await makeKey(tpm, file).catch(() => undefined);
        throw fromTss(thrown);
      }
    },
  };
}

async function attestationKey(tpm: Tpm, file: string): Promise<string> {
  const kept = (await readPrivateFile(file))?.toString('utf8');
  return kept !== undefined && isReadable(kept) ? kept : makeKey(tpm, file);
}

/** A damaged file is worth nothing, and a new attestation key costs nothing. */
function isReadable(pem: string): boolean {
  try {
    return publicAreaOf(pem).length > 0;
  } catch {
    return false;
  }
}

async function makeKey(tpm: Tpm, file: string): Promise<string> {
  const { pem } = await tpm.createAttestationKey();
  await writePrivateFile(file, pem);
  return pem;
}

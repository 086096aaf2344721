import { createHash } from 'node:crypto';
import { type EndorsementKey, publicAreaOf, type SigningKey, type Tpm, TssError } from 'node-tss';
import { readPrivateFile, writePrivateFile } from '../private-file.ts';
import { fromTss } from './fault.ts';

/** What a server judges before it asks for the proof. */
export interface Evidence {
  /** X.509 DER; `null` where the chip has none. */
  readonly ekCertificate: Buffer | null;
  /** TPM2B_PUBLIC of the endorsement key, of the attestation key and of the device key. */
  readonly ekPublic: Buffer;
  readonly akPublic: Buffer;
  readonly keyPublic: Buffer;
}

/** The server's question, length prefixes included. */
export interface Challenge {
  readonly credentialBlob: Buffer;
  readonly encryptedSecret: Buffer;
  readonly nonce: Buffer;
}

export interface Answer {
  readonly secret: Buffer;
  /** TPMS_ATTEST and TPMT_SIGNATURE of TPM2_Certify. */
  readonly certifyInfo: Buffer;
  readonly certifySignature: Buffer;
}

/** Proves that a key is in this TPM, and that this TPM is its maker's. */
export interface Attestor {
  /** @throws PlayerError ATTESTATION_UNAVAILABLE where the TPM has nothing to prove with, TPM_… */
  evidence(): Promise<Evidence>;
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
          ekCertificate: certificate,
          ekPublic: publicArea,
          akPublic: publicAreaOf(attestation),
          keyPublic: publicAreaOf(keyPem),
        };
      } catch (thrown) {
        throw fromTss(thrown);
      }
    },
    async answer(challenge, csr) {
      try {
        const { kind } = await endorsementKey();
        const attestation = await attestationKey(tpm, file);
        const secret = await tpm.activateCredential(kind, attestation, challenge);
        const request = Buffer.from(csr.replaceAll(/-----[^-]+-----/g, ''), 'base64');
        const bound = createHash('sha256').update(challenge.nonce).update(secret).update(request).digest();
        const { attest, signature } = await tpm.certify(key, attestation, bound);
        return { secret, certifyInfo: attest, certifySignature: signature };
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

/** Whether a screen's key is in a genuine TPM, and what this server makes of the answer. */
import {
  type Answer,
  AttestationError,
  type Challenge,
  Challenges,
  type Evidence,
  type HardwareIdentity,
  type Trust,
} from 'node-tss/attestation';
import { z } from 'zod';
import { Refusal } from './refusal.ts';

/** `required`: no proof, no registration; `preferred`: asked for, shown and recorded; `off`: not asked for. */
export type AttestationPolicy = 'required' | 'preferred' | 'off';

/** What is known of a device's hardware, as it is kept. */
export const hardwareRecord = z.discriminatedUnion('state', [
  z.object({ state: z.literal('not-asked') }),
  z.object({ state: z.literal('awaited') }),
  z.object({ state: z.literal('unverified'), code: z.string() }),
  z.object({
    state: z.literal('verified'),
    manufacturer: z.string(),
    model: z.string(),
    version: z.string(),
    vouchedBy: z.enum(['certificate', 'allow-list']),
    /** SHA-256 of the endorsement key: the chip. */
    endorsementHash: z.string(),
    /** Name of the attestation key, hex. */
    attestationKey: z.string(),
  }),
]);
export type HardwareRecord = z.infer<typeof hardwareRecord>;

/** What players and operators are told: that it was verified, or why not; `null` where nobody asked. */
export type HardwareDocument =
  | { readonly verified: true; readonly manufacturer: string; readonly model: string }
  | { readonly verified: false; readonly code: string }
  | null;

export function hardwareDocument(record: HardwareRecord): HardwareDocument {
  switch (record.state) {
    case 'not-asked':
      return null;
    case 'awaited':
      return { verified: false, code: 'attestation-awaited' };
    case 'unverified':
      return { verified: false, code: record.code };
    case 'verified':
      return { verified: true, manufacturer: record.manufacturer, model: record.model };
    default:
      return record satisfies never;
  }
}

/** `SECRET_MISMATCH` → `secret-mismatch`: the spelling of this server's codes. */
function spelled(code: AttestationError['code']): string {
  return code.replaceAll('_', '-').toLowerCase();
}

export class HardwareIdentities {
  readonly policy: AttestationPolicy;
  readonly #challenges: Challenges;

  constructor(policy: AttestationPolicy, trust: Trust, now: () => number, challengeLifetimeMs?: number) {
    this.policy = policy;
    this.#challenges = new Challenges(
      trust,
      now,
      challengeLifetimeMs === undefined ? {} : { lifetimeMs: challengeLifetimeMs },
    );
  }

  /**
   * Judge what came with a request, and ask for the proof of it.
   * @param id of what the proof is for
   * @throws Refusal 422 where a proof is required and this cannot become one
   */
  ask(id: string, evidence: Evidence | undefined): { record: HardwareRecord; challenge: Challenge | null } {
    if (this.policy === 'off') return { record: { state: 'not-asked' }, challenge: null };
    if (evidence === undefined) {
      if (this.policy === 'required')
        throw new Refusal(422, 'attestation-required', 'This server takes screens with a verified TPM only.');
      return { record: { state: 'unverified', code: 'attestation-absent' }, challenge: null };
    }
    try {
      return { record: { state: 'awaited' }, challenge: this.#challenges.open(id, evidence) };
    } catch (error) {
      return { record: this.#failed(error), challenge: null };
    }
  }

  /** Judge evidence and answer together. @throws Refusal 422 where a proof is required and this is none */
  judge(id: string, answer: Answer): HardwareRecord {
    try {
      return verified(this.#challenges.settle(id, answer));
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): HardwareRecord {
    if (!(error instanceof AttestationError)) throw error;
    if (this.policy === 'required') throw new Refusal(422, spelled(error.code), `${error.message}.`);
    return { state: 'unverified', code: spelled(error.code) };
  }
}

function verified(identity: HardwareIdentity): HardwareRecord {
  const { manufacturer, model, version, vouchedBy, endorsementHash, attestationKey } = identity;
  return { state: 'verified', manufacturer, model, version, vouchedBy, endorsementHash, attestationKey };
}

const bytes = (most: number) =>
  z
    .string()
    .max(Math.ceil(most / 3) * 4)
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be base64')
    .transform((text) => Buffer.from(text, 'base64'));

/** The evidence of a request, on the wire. */
export const tpmBody = z.object({
  ek_certificate: bytes(4096).nullable(),
  ek_public: bytes(1024),
  ak_public: bytes(1024),
  key_public: bytes(1024),
});

/** The answer to a challenge, on the wire. */
export const answerBody = z.object({
  secret: bytes(64),
  certify_info: bytes(1024),
  certify_signature: bytes(1024),
});

export function readEvidence(csrPem: string, tpm: z.infer<typeof tpmBody> | null | undefined): Evidence | undefined {
  if (tpm === null || tpm === undefined) return undefined;
  const { ek_certificate: ekCertificate, ek_public: ekPublic, ak_public: akPublic, key_public: keyPublic } = tpm;
  return { csrPem, ekCertificate, ekPublic, akPublic, keyPublic };
}

export function readAnswer(body: z.infer<typeof answerBody>): Answer {
  return { secret: body.secret, certifyInfo: body.certify_info, certifySignature: body.certify_signature };
}

/** A challenge, on the wire. */
export function challengeDocument(challenge: Challenge | null) {
  if (challenge === null) return null;
  const { credentialBlob, encryptedSecret, nonce } = challenge;
  return {
    credential_blob: credentialBlob.toString('base64'),
    encrypted_secret: encryptedSecret.toString('base64'),
    nonce: nonce.toString('base64'),
  };
}

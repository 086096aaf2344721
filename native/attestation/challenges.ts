import { randomBytes } from 'node:crypto';
import { AttestationError } from './error.ts';
import { makeCredential } from './make-credential.ts';
import {
  type Answer,
  type Evidence,
  type Expectation,
  type HardwareIdentity,
  judgeEvidence,
  type Trust,
  verifyAnswer,
} from './verification.ts';

/** What the device gets. */
export interface Challenge {
  readonly credentialBlob: Buffer;
  readonly encryptedSecret: Buffer;
  readonly nonce: Buffer;
}

export interface ChallengeOptions {
  /** How long an answer is waited for; two minutes where absent. */
  readonly lifetimeMs?: number;
  /** Challenges that may be open at once, the oldest falls out; 1,000 where absent. */
  readonly limit?: number;
}

interface Open extends Expectation {
  readonly evidence: Evidence;
  readonly expiresAtMs: number;
}

/**
 * Challenges that wait for their answer, in memory: one that a restart has forgotten is asked for anew.
 * An answer, right or wrong, ends its challenge.
 */
export class Challenges {
  readonly #open = new Map<string, Open>();
  readonly #trust: Trust;
  readonly #now: () => number;
  readonly #lifetimeMs: number;
  readonly #limit: number;

  /** @param now Unix milliseconds */
  constructor(trust: Trust, now: () => number, { lifetimeMs = 120_000, limit = 1_000 }: ChallengeOptions = {}) {
    this.#trust = trust;
    this.#now = now;
    this.#lifetimeMs = lifetimeMs;
    this.#limit = limit;
  }

  /**
   * Judge the evidence for itself and ask for the proof.
   * @param id the verifier's name for this registration
   * @throws AttestationError
   */
  open(id: string, evidence: Evidence): Challenge {
    const nowMs = this.#now();
    const { endorsement, attestation } = judgeEvidence(evidence, this.#trust, nowMs);
    const [nonce, secret] = [randomBytes(32), randomBytes(32)];
    this.#open.delete(id);
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= this.#limit) this.#open.delete(oldest);
    this.#open.set(id, { evidence, nonce, secret, expiresAtMs: nowMs + this.#lifetimeMs });
    return { ...makeCredential(endorsement, attestation.name, secret), nonce };
  }

  /** The answer, judged together with everything that was sent before. @throws AttestationError */
  settle(id: string, answer: Answer): HardwareIdentity {
    const open = this.#open.get(id);
    // Before anything is judged: there is no second try, and no replay.
    this.#open.delete(id);
    if (open === undefined) throw new AttestationError('CHALLENGE_UNKNOWN', 'there is no open challenge');
    const nowMs = this.#now();
    if (nowMs > open.expiresAtMs) throw new AttestationError('CHALLENGE_EXPIRED', 'the answer came too late');
    return verifyAnswer(open.evidence, open, answer, this.#trust, nowMs);
  }
}

/** Renewals for another key than the present one: proved to be in the same TPM, by the same attestation key. */
import type { Answer, Evidence } from 'node-tss/attestation';
import type { HardwareIdentities, HardwareRecord } from './hardware-identity.ts';
import { Refusal } from './refusal.ts';
import { createId } from './secret.ts';
import type { ScreenRecord } from './state-file.ts';

/** Changes that may wait for their proof at once; the oldest falls out. */
const maximumWaiting = 1_000;

export class KeyChanges {
  readonly #hardware: HardwareIdentities;
  readonly #waiting = new Map<string, { readonly screenId: string; readonly csrPem: string }>();

  constructor(hardware: HardwareIdentities) {
    this.#hardware = hardware;
  }

  /** A screen whose hardware is known, or must be, changes its key with a proof only. */
  needsProof(screen: ScreenRecord): boolean {
    return this.#hardware.policy === 'required' || screen.hardwareIdentity.state === 'verified';
  }

  /** @throws Refusal 422 */
  ask(screen: ScreenRecord, csrPem: string, evidence: Evidence | undefined) {
    const id = createId();
    const { record, challenge } = this.#hardware.ask(id, evidence);
    if (challenge === null) throw refused(record);
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= maximumWaiting) this.#waiting.delete(oldest);
    this.#waiting.set(id, { screenId: screen.id, csrPem });
    return { id, challenge };
  }

  /** @returns the request that was proved. @throws Refusal 422 */
  settle(screen: ScreenRecord, id: string, answer: Answer): { csrPem: string; proved: HardwareRecord } {
    const waiting = this.#waiting.get(id);
    if (waiting?.screenId !== screen.id) throw new Refusal(422, 'challenge-unknown', 'There is no open challenge.');
    this.#waiting.delete(id);
    const proved = this.#hardware.judge(id, answer);
    const own = screen.hardwareIdentity;
    if (proved.state !== 'verified') throw refused(proved);
    if (own.state === 'verified') {
      if (own.endorsementHash !== proved.endorsementHash) {
        throw new Refusal(422, 'endorsement-changed', 'This is another chip than the screen’s.');
      }
      if (own.attestationKey !== proved.attestationKey) {
        throw new Refusal(
          422,
          'attestation-key-changed',
          'Another attestation key than the screen’s has certified this.',
        );
      }
    }
    return { csrPem: waiting.csrPem, proved };
  }
}

function refused(record: HardwareRecord): Refusal {
  const code = record.state === 'unverified' ? record.code : 'attestation-required';
  return new Refusal(422, code, 'The new key is not proved to be in the screen’s TPM.');
}

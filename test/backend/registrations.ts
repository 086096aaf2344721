/** Registrations: a key that asks for an identity, and what the operator decided. */
import type { AcceptedRequest } from './certificate-request.ts';
import type { AttestationPolicy, HardwareRecord } from './hardware-identity.ts';
import { createPin } from './pin.ts';
import { Refusal } from './refusal.ts';
import { createSecret, digestOf, matchesDigest } from './secret.ts';
import type { RegistrationRecord, StateFile } from './state-file.ts';

/** How long an ended registration is remembered, so that a player that was off can fetch what became of it. */
const rememberMs = 86_400_000;
/** Registrations that may wait at once. */
const maximumPending = 1_000;

export class Registrations {
  readonly #file: StateFile;
  readonly #now: () => number;
  readonly #lifetimeMs: number;
  readonly #policy: AttestationPolicy;

  constructor(file: StateFile, now: () => number, lifetimeMs: number, policy: AttestationPolicy) {
    this.#policy = policy;
    this.#file = file;
    this.#now = now;
    this.#lifetimeMs = lifetimeMs;
  }

  /** Open a registration; one that waits for the same key ends. @returns the record and the poll token, told only once */
  open(
    request: AcceptedRequest,
    csrPem: string,
    hardware: string,
    { id, hardwareIdentity }: { readonly id: string; readonly hardwareIdentity: HardwareRecord },
  ): { record: RegistrationRecord; pollToken: string } {
    this.#forgetOld();
    for (const earlier of this.pending()) {
      if (earlier.fingerprint === request.fingerprint) earlier.outcome = { status: 'superseded' };
    }
    if (this.pending().length >= maximumPending) {
      throw new Refusal(429, 'too-many-pending', 'Too many screens wait to be claimed.', 60);
    }
    const pollToken = createSecret();
    const nowMs = this.#now();
    const record: RegistrationRecord = {
      id,
      pin: createPin((pin) => this.#current(pin) !== undefined),
      pollTokenDigest: digestOf(pollToken),
      csrPem,
      hostname: request.hostname,
      fingerprint: request.fingerprint,
      hardware,
      hardwareIdentity,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + this.#lifetimeMs,
      outcome: { status: 'pending' },
    };
    this.#file.state.registrations.push(record);
    this.#file.save();
    return { record, pollToken };
  }

  /** Those that wait for an operator and are not expired. */
  pending(): readonly RegistrationRecord[] {
    return this.#file.state.registrations.filter(
      (record) => record.outcome.status === 'pending' && !this.#isExpired(record),
    );
  }

  /**
   * The registration that a player polls.
   * @throws Refusal 401 for another token; 410 when it is unknown, expired or superseded
   */
  poll(id: string, pollToken: string): RegistrationRecord {
    const record = this.#file.state.registrations.find((candidate) => candidate.id === id);
    if (record === undefined) throw gone();
    if (!matchesDigest(pollToken, record.pollTokenDigest)) {
      throw new Refusal(401, 'poll-token-invalid', 'The poll token does not belong to this registration.');
    }
    const { status } = record.outcome;
    if (status === 'superseded' || (status === 'pending' && this.#isExpired(record))) throw gone();
    return record;
  }

  /** The waiting registration with this PIN. @throws Refusal 404 unknown or expired, 409 already claimed */
  claimable(pin: string): RegistrationRecord {
    const record = this.#current(pin);
    const status = record?.outcome.status;
    if (status === 'issued' || status === 'claimed')
      throw new Refusal(409, 'pin-claimed', 'This PIN was claimed already.');
    if (record?.outcome.status !== 'pending') {
      throw new Refusal(404, 'pin-unknown', 'No screen shows this PIN, or it has expired.');
    }
    if (this.#policy === 'required' && record.hardwareIdentity.state !== 'verified') {
      throw new Refusal(409, 'hardware-unverified', 'This screen has not proved its hardware identity.');
    }
    return record;
  }

  /** What the proof of a registration's hardware came to. */
  judged(record: RegistrationRecord, hardwareIdentity: HardwareRecord): void {
    record.hardwareIdentity = hardwareIdentity;
    this.#file.save();
  }

  /** End a registration that has failed its proof. */
  end(record: RegistrationRecord): void {
    record.outcome = { status: 'superseded' };
    this.#file.save();
  }

  /** Refuse a waiting registration. @throws Refusal 404 */
  deny(id: string): void {
    const record = this.pending().find((candidate) => candidate.id === id);
    if (record === undefined) throw new Refusal(404, 'registration-unknown', 'No such registration waits.');
    record.outcome = { status: 'denied' };
    this.#file.save();
  }

  #current(pin: string): RegistrationRecord | undefined {
    return this.#file.state.registrations.find(
      (record) => record.pin === pin && record.outcome.status !== 'superseded' && !this.#isExpired(record),
    );
  }

  #isExpired(record: RegistrationRecord): boolean {
    return this.#now() >= record.expiresAtMs;
  }

  #forgetOld(): void {
    const { state } = this.#file;
    state.registrations = state.registrations.filter((record) => this.#now() < record.expiresAtMs + rememberMs);
  }
}

function gone(): Refusal {
  return new Refusal(410, 'registration-expired', 'This registration has ended; start over with the same key.');
}

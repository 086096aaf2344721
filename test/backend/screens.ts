/** Screens and their certificates: claiming, renewing, changing keys, revoking, removing. */
import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { type AcceptedRequest, acceptRequest } from './certificate-request.ts';
import type { HardwareRecord } from './hardware-identity.ts';
import { type IssuedCertificate, type Issuer, IssuerError } from './issuers/issuer.ts';
import { Refusal } from './refusal.ts';
import { createId } from './secret.ts';
import type { CertificateRecord, RegistrationRecord, ScreenRecord, StateFile } from './state-file.ts';

/** Certificate and chain, PEM. */
export type Renewed = Pick<IssuedCertificate, 'certificatePem' | 'chainPem'>;

export class Screens {
  readonly #file: StateFile;
  readonly #issuer: Issuer;
  readonly #now: () => number;
  readonly #lifetimeSeconds: number;
  /** Registrations whose certificate is being asked for. */
  readonly #issuing = new Map<string, Promise<void>>();

  constructor(file: StateFile, issuer: Issuer, now: () => number, certificateLifetimeSeconds: number) {
    this.#file = file;
    this.#issuer = issuer;
    this.#now = now;
    this.#lifetimeSeconds = certificateLifetimeSeconds;
  }

  /** Those that were not removed. */
  list(): readonly ScreenRecord[] {
    return this.#file.state.screens.filter((screen) => screen.removedAtMs === null);
  }

  /** Make a screen of a waiting registration; its certificate follows as soon as the issuer has answered. */
  claim(registration: RegistrationRecord, name: string, timezone: string): ScreenRecord {
    const screen: ScreenRecord = {
      id: createId(),
      name,
      hostname: registration.hostname,
      fingerprint: registration.fingerprint,
      timezone,
      hardwareIdentity: registration.hardwareIdentity,
      createdAtMs: this.#now(),
      issuerProblem: null,
      revokedAtMs: null,
      removedAtMs: null,
    };
    this.#file.state.screens.push(screen);
    this.#grant(registration, screen);
    return screen;
  }

  /**
   * The screen that a verified registration is already: the same chip, the same key and the same name, neither revoked
   * nor removed.
   */
  known(registration: RegistrationRecord): ScreenRecord | undefined {
    const { hardwareIdentity: proved, fingerprint, hostname } = registration;
    if (proved.state !== 'verified') return undefined;
    return this.list().find((screen) => {
      const own = screen.hardwareIdentity;
      const same = own.state === 'verified' && own.endorsementHash === proved.endorsementHash;
      return same && screen.revokedAtMs === null && screen.fingerprint === fingerprint && screen.hostname === hostname;
    });
  }

  /** Give a screen that has proved to be itself a new certificate, without an operator. */
  readmit(registration: RegistrationRecord, screen: ScreenRecord): void {
    screen.hardwareIdentity = registration.hardwareIdentity;
    this.#grant(registration, screen);
  }

  /** Ask the issuer for what was granted and is not there yet. Never rejects; what fails is tried at the next call. */
  settle(registration: RegistrationRecord): Promise<void> {
    const under = this.#issuing.get(registration.id);
    if (under !== undefined) return under;
    const work = this.#issueGranted(registration).finally(() => this.#issuing.delete(registration.id));
    this.#issuing.set(registration.id, work);
    return work;
  }

  /**
   * Issue the next certificate of a screen for its key.
   * The present certificate stays valid: the player may lose power before it has stored the new one.
   * @param proved what the proof of another key came to, `null` for the same key
   * @throws Refusal 422, 502, 503
   */
  async renew(screen: ScreenRecord, csrPem: string, proved: HardwareRecord | null = null): Promise<Renewed> {
    const request = acceptRequest(csrPem, screen.hostname);
    const issued = await this.#ask(screen, csrPem, randomUUID());
    this.#take(screen, request, issued);
    if (proved !== null) screen.hardwareIdentity = proved;
    this.#file.save();
    return issued;
  }

  /** Revoke every certificate of a screen. @throws Refusal 404 */
  revoke(screenId: string): void {
    this.#require(screenId).revokedAtMs = this.#now();
    const own = this.#file.state.certificates.filter((certificate) => certificate.screenId === screenId);
    for (const certificate of own) certificate.revoked = true;
    this.#file.save();
    // Here it counts from now on, whatever the issuer does with its own list.
    for (const { reference } of own) this.#issuer.revoke(reference).catch(report);
  }

  /** Remove a screen for good. @throws Refusal 404 */
  remove(screenId: string): void {
    this.#require(screenId).removedAtMs = this.#now();
    this.#file.save();
  }

  find(screenId: string): ScreenRecord | undefined {
    return this.#file.state.screens.find((screen) => screen.id === screenId);
  }

  /** @param serial lower-case hex */
  certificate(serial: string): CertificateRecord | undefined {
    return this.#file.state.certificates.find((certificate) => certificate.serial === serial);
  }

  /** Unix milliseconds at which the last certificate of a screen ends; 0 where it has none yet. */
  certificateEndMs(screenId: string): number {
    const own = this.#file.state.certificates.filter((certificate) => certificate.screenId === screenId);
    return Math.max(0, ...own.map((certificate) => certificate.notAfterMs));
  }

  #require(screenId: string): ScreenRecord {
    const screen = this.list().find((candidate) => candidate.id === screenId);
    if (screen === undefined) throw new Refusal(404, 'screen-unknown', 'There is no such screen.');
    return screen;
  }

  #grant(registration: RegistrationRecord, screen: ScreenRecord): void {
    registration.outcome = { status: 'claimed', screenId: screen.id, requestId: randomUUID() };
    this.#file.save();
    void this.settle(registration);
  }

  async #issueGranted(registration: RegistrationRecord): Promise<void> {
    const { outcome, csrPem, hostname } = registration;
    const screen = outcome.status === 'claimed' ? this.find(outcome.screenId) : undefined;
    if (outcome.status !== 'claimed' || screen === undefined) return;
    try {
      const issued = await this.#ask(screen, csrPem, outcome.requestId);
      this.#take(screen, acceptRequest(csrPem, hostname), issued);
      const { certificatePem, chainPem } = issued;
      registration.outcome = { status: 'issued', screenId: screen.id, certificatePem, chainPem: [...chainPem] };
      this.#file.save();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  /** @throws Refusal 503 where it may succeed later, 502 where somebody must change something */
  async #ask(screen: ScreenRecord, csrPem: string, requestId: string): Promise<IssuedCertificate> {
    const { hostname } = screen;
    try {
      return await this.#issuer.issue({ csrPem, hostname, lifetimeSeconds: this.#lifetimeSeconds, requestId });
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      screen.issuerProblem = error.message;
      this.#file.save();
      report(error);
      if (error.retryable) throw new Refusal(503, 'issuer-unavailable', 'The issuer does not answer.', 30);
      throw new Refusal(502, 'issuer-refused', 'The issuer refuses the certificate.');
    }
  }

  #take(screen: ScreenRecord, request: AcceptedRequest, issued: IssuedCertificate): void {
    const { state } = this.#file;
    const certificate = new X509Certificate(issued.certificatePem);
    state.certificates = state.certificates.filter((known) => known.notAfterMs > this.#now());
    state.certificates.push({
      serial: certificate.serialNumber.toLowerCase(),
      screenId: screen.id,
      digest: createHash('sha256').update(certificate.raw).digest('hex'),
      reference: issued.reference,
      notAfterMs: Date.parse(certificate.validTo),
      revoked: false,
    });
    screen.fingerprint = request.fingerprint;
    screen.issuerProblem = null;
  }
}

function report(error: unknown): void {
  process.stderr.write(`issuer: ${error instanceof Error ? error.message : String(error)}\n`);
}

/** Screens and their certificates: claiming, renewing, revoking, removing. */
import { type AcceptedRequest, acceptRequest } from './certificate-request.ts';
import type { Issuer } from './issuer.ts';
import { Refusal } from './refusal.ts';
import { createId } from './secret.ts';
import type { CertificateRecord, RegistrationRecord, ScreenRecord, StateFile } from './state-file.ts';

export class Screens {
  readonly #file: StateFile;
  readonly #issuer: Issuer;
  readonly #now: () => number;
  readonly #lifetimeSeconds: number;

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

  /** Make a screen of a waiting registration: issues its certificate. */
  claim(registration: RegistrationRecord, name: string, timezone: string): ScreenRecord {
    const request = acceptRequest(registration.csrPem, registration.hostname);
    const screen: ScreenRecord = {
      id: createId(),
      name,
      hostname: registration.hostname,
      fingerprint: registration.fingerprint,
      timezone,
      hardwareIdentity: registration.hardwareIdentity,
      createdAtMs: this.#now(),
      removedAtMs: null,
    };
    const certificatePem = this.#issue(screen, request);
    registration.outcome = { status: 'issued', screenId: screen.id, certificatePem };
    this.#file.state.screens.push(screen);
    this.#file.save();
    return screen;
  }

  /**
   * Issue the next certificate of a screen, for the same key or another one.
   * The present certificate stays valid: the player may lose power before it has stored the new one.
   */
  renew(screen: ScreenRecord, csrPem: string): string {
    const request = acceptRequest(csrPem, screen.hostname);
    screen.fingerprint = request.fingerprint;
    const certificatePem = this.#issue(screen, request);
    this.#file.save();
    return certificatePem;
  }

  /** Revoke every certificate of a screen. @throws Refusal 404 */
  revoke(screenId: string): void {
    this.#require(screenId);
    for (const certificate of this.#file.state.certificates) {
      if (certificate.screenId === screenId) certificate.revoked = true;
    }
    this.#file.save();
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

  /** Unix milliseconds at which the last certificate of a screen ends. */
  certificateEndMs(screenId: string): number {
    const own = this.#file.state.certificates.filter((certificate) => certificate.screenId === screenId);
    return Math.max(0, ...own.map((certificate) => certificate.notAfterMs));
  }

  #require(screenId: string): ScreenRecord {
    const screen = this.list().find((candidate) => candidate.id === screenId);
    if (screen === undefined) throw new Refusal(404, 'screen-unknown', 'There is no such screen.');
    return screen;
  }

  #issue(screen: ScreenRecord, request: AcceptedRequest): string {
    const { state } = this.#file;
    state.certificates = state.certificates.filter((certificate) => certificate.notAfterMs > this.#now());
    const issued = this.#issuer.issueClient({
      hostname: screen.hostname,
      publicKey: request.publicKey,
      nowMs: this.#now(),
      lifetimeSeconds: this.#lifetimeSeconds,
    });
    state.certificates.push({
      serial: issued.serial,
      screenId: screen.id,
      notAfterMs: issued.notAfterMs,
      revoked: false,
    });
    return issued.pem;
  }
}

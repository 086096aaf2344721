/** How the operator's calls describe screens and registrations. */
import type { Context } from './context.ts';
import { type HardwareDocument, hardwareDocument } from './hardware-identity.ts';
import { Refusal } from './refusal.ts';
import type { RegistrationRecord, ScreenRecord } from './state-file.ts';

/** A screen, in the spelling of Screenly's public API. */
export interface ScreenDocument {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly timezone: string;
  readonly fingerprint: string;
  readonly created_at: string;
  /** `null` until the issuer has answered. */
  readonly certificate_expires_at: string | null;
  /** Why the issuer gave no certificate. */
  readonly issuer_problem: string | null;
  readonly hardware_identity: HardwareDocument;
}

/** A screen that waits to be claimed; `fingerprint` is what the screen itself shows 16 digits of. */
export interface PendingDocument {
  readonly id: string;
  readonly pin: string;
  readonly hostname: string;
  readonly hardware: string;
  readonly fingerprint: string;
  readonly expires_at: string;
  readonly hardware_identity: HardwareDocument;
}

export function screenDocument(screen: ScreenRecord, context: Pick<Context, 'screens'>): ScreenDocument {
  const endMs = context.screens.certificateEndMs(screen.id);
  return {
    id: screen.id,
    name: screen.name,
    hostname: screen.hostname,
    timezone: screen.timezone,
    fingerprint: screen.fingerprint,
    created_at: new Date(screen.createdAtMs).toISOString(),
    certificate_expires_at: endMs === 0 ? null : new Date(endMs).toISOString(),
    issuer_problem: screen.issuerProblem,
    hardware_identity: hardwareDocument(screen.hardwareIdentity),
  };
}

export function pendingDocument(record: RegistrationRecord): PendingDocument {
  return {
    id: record.id,
    pin: record.pin,
    hostname: record.hostname,
    hardware: record.hardware,
    fingerprint: record.fingerprint,
    expires_at: new Date(record.expiresAtMs).toISOString(),
    hardware_identity: hardwareDocument(record.hardwareIdentity),
  };
}

/** An IANA zone name that this machine knows; its own zone where absent. @throws Refusal 422 */
export function readTimezone(name: string | undefined): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    throw new Refusal(422, 'timezone-unknown', 'The time zone is not an IANA name.');
  }
}

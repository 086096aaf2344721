/** What the routes work with. */
import type { FastifyRequest } from 'fastify';
import type { EventHub } from './event-hub.ts';
import type { HardwareIdentities } from './hardware-identity.ts';
import type { Issuer } from './issuers/issuer.ts';
import type { KeyChanges } from './key-changes.ts';
import type { MediaLibrary } from './media-library.ts';
import type { Operators } from './operators.ts';
import type { Programming } from './programming.ts';
import type { Registrations } from './registrations.ts';
import type { Screens } from './screens.ts';
import type { ScreenRecord } from './state-file.ts';
import type { TurnedAway } from './turned-away.ts';

export interface Context {
  readonly now: () => number;
  readonly issuer: Issuer;
  readonly hardware: HardwareIdentities;
  readonly keyChanges: KeyChanges;
  /** Screens that prove to be what they were are given a certificate without an operator. */
  readonly readmits: boolean;
  readonly registrations: Registrations;
  readonly turnedAway: TurnedAway;
  readonly screens: Screens;
  readonly programming: Programming;
  readonly events: EventHub;
  readonly library: MediaLibrary;
  readonly operators: Operators;
  /** Seconds that a player is told to wait between polls. */
  readonly pollIntervalSeconds: number;
  /** Registrations that one address may open in a minute. */
  readonly registrationsPerMinute: number;
  /** Folder of the console's files and file of its typeface. */
  readonly consoleDirectory: string;
  readonly typefaceFile: string;
  /** The screen that makes a request. @throws Refusal 401, 403, 410 */
  identify(request: FastifyRequest): ScreenRecord;
  /** SHA-256 of the key of the client certificate (SubjectPublicKeyInfo), hex. */
  presentKey(request: FastifyRequest): string;
}

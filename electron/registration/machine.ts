/** The registration state machine: pure. `step` decides, the driver performs. */

/** Why an issued certificate or the registration itself was refused. */
export type RefusalReason = 'denied' | 'key-mismatch' | 'untrusted' | 'usage' | 'dates' | 'unusable' | 'invalid';

/** What the server says of this device's hardware; `null` where it does not ask. */
export type HardwareVerdict =
  | { readonly verified: true; readonly manufacturer: string; readonly model: string }
  | { readonly verified: false; readonly code: string };

export interface Pending {
  readonly state: 'pending';
  readonly id: string;
  readonly pin: string;
  /** Bearer token of the poll calls: private, never shown, never logged. */
  readonly ticket: string;
  readonly expiresAtMs: number;
  readonly pollIntervalMs: number;
  readonly hardware: HardwareVerdict | null;
}

export interface Registered {
  readonly state: 'registered';
  readonly screenId: string;
  readonly screenName: string;
  /** Since when the server refuses this screen (401, 403), Unix milliseconds. */
  readonly suspendedSinceMs: number | null;
  readonly hardware: HardwareVerdict | null;
}

export type Registration =
  | { readonly state: 'unregistered' }
  | Pending
  | Registered
  | { readonly state: 'refused'; readonly reason: RefusalReason; readonly retryAtMs: number };

export interface IssuedCertificate {
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly screenId: string;
  readonly screenName: string;
}

export type Happening =
  | { readonly type: 'started' }
  | ({ readonly type: 'accepted' } & Omit<Pending, 'state'>)
  | { readonly type: 'waited' }
  | { readonly type: 'still-pending' }
  | { readonly type: 'issued'; readonly issued: IssuedCertificate }
  | { readonly type: 'stored'; readonly screenId: string; readonly screenName: string }
  | { readonly type: 'certificate-refused'; readonly reason: RefusalReason }
  | { readonly type: 'denied' }
  | { readonly type: 'expired' }
  | { readonly type: 'failed'; readonly retryInMs: number }
  | { readonly type: 'suspended' }
  | { readonly type: 'restored' }
  | { readonly type: 'removed' }
  /** The key or its certificate is gone or no longer holds; the content is unharmed. */
  | { readonly type: 'identity-lost' };

export type Effect =
  | { readonly type: 'register' }
  | { readonly type: 'poll'; readonly id: string; readonly ticket: string }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'store-certificate'; readonly issued: IssuedCertificate }
  | { readonly type: 'forget-content' };

export interface Step {
  readonly next: Registration;
  readonly effects: readonly Effect[];
}

/** After a refusal the screen asks anew by itself: nobody stands in front of it with a keyboard. */
export const refusalPauseMs = 10 * 60_000;

/**
 * What follows from `happening` in state `now`.
 * A happening that has no meaning in the state changes nothing: late replies are normal.
 * @param nowMs Unix milliseconds
 */
export function step(now: Registration, happening: Happening, nowMs: number): Step {
  switch (now.state) {
    case 'unregistered':
      return stepUnregistered(now, happening);
    case 'pending':
      return stepPending(now, happening, nowMs);
    case 'refused':
      return stepRefused(now, happening, nowMs);
    case 'registered':
      return stepRegistered(now, happening, nowMs);
    default:
      return now satisfies never;
  }
}

const unregistered: Registration = { state: 'unregistered' };
const startOver: Step = { next: unregistered, effects: [{ type: 'register' }] };

function stepUnregistered(now: Registration, happening: Happening): Step {
  switch (happening.type) {
    case 'started':
    case 'waited':
      return { next: now, effects: startOver.effects };
    case 'accepted': {
      const { type: _, ...accepted } = happening;
      return { next: { state: 'pending', ...accepted }, effects: [{ type: 'wait', ms: accepted.pollIntervalMs }] };
    }
    case 'failed':
      return { next: now, effects: [{ type: 'wait', ms: happening.retryInMs }] };
    default:
      return { next: now, effects: [] };
  }
}

function stepPending(now: Pending, happening: Happening, nowMs: number): Step {
  switch (happening.type) {
    case 'started':
    case 'waited':
      return { next: now, effects: [{ type: 'poll', id: now.id, ticket: now.ticket }] };
    case 'still-pending':
      // The server's word counts: by a wrong clock of ours the PIN may look expired.
      return { next: now, effects: [{ type: 'wait', ms: now.pollIntervalMs }] };
    case 'failed':
      // Out of reach there is no such word, and a dead PIN must not stay on the screen.
      if (nowMs >= now.expiresAtMs) return { next: unregistered, effects: [{ type: 'wait', ms: happening.retryInMs }] };
      return { next: now, effects: [{ type: 'wait', ms: happening.retryInMs }] };
    case 'issued':
      return { next: now, effects: [{ type: 'store-certificate', issued: happening.issued }] };
    case 'stored': {
      const { screenId, screenName } = happening;
      const { hardware } = now;
      return { next: { state: 'registered', screenId, screenName, suspendedSinceMs: null, hardware }, effects: [] };
    }
    case 'certificate-refused':
      return refuse(happening.reason, nowMs);
    case 'denied':
      return refuse('denied', nowMs);
    case 'expired':
      return startOver;
    default:
      return { next: now, effects: [] };
  }
}

function stepRefused(now: Extract<Registration, { state: 'refused' }>, happening: Happening, nowMs: number): Step {
  if (happening.type !== 'started' && happening.type !== 'waited') return { next: now, effects: [] };
  // A clock that was set back must not keep the screen waiting for years.
  const left = Math.min(now.retryAtMs - nowMs, refusalPauseMs);
  return left > 0 ? { next: now, effects: [{ type: 'wait', ms: left }] } : startOver;
}

function stepRegistered(now: Registered, happening: Happening, nowMs: number): Step {
  switch (happening.type) {
    // Said at every sync: what changes nothing is the same value, and is not written to the disk again.
    case 'suspended': {
      // By a clock that was ahead and has been set right, the grace would last until that future comes.
      const sinceMs = Math.min(now.suspendedSinceMs ?? nowMs, nowMs);
      return { next: sinceMs === now.suspendedSinceMs ? now : { ...now, suspendedSinceMs: sinceMs }, effects: [] };
    }
    case 'restored':
      return { next: now.suspendedSinceMs === null ? now : { ...now, suspendedSinceMs: null }, effects: [] };
    case 'removed':
      return { next: unregistered, effects: [{ type: 'forget-content' }, { type: 'register' }] };
    case 'identity-lost':
      return startOver;
    default:
      return { next: now, effects: [] };
  }
}

function refuse(reason: RefusalReason, nowMs: number): Step {
  return {
    next: { state: 'refused', reason, retryAtMs: nowMs + refusalPauseMs },
    effects: [{ type: 'wait', ms: refusalPauseMs }],
  };
}

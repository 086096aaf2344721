import type { PlayerError } from '../errors.ts';
import type { HardwareWord, Overview, Snapshot } from '../ipc/contract.ts';
import { type Facts, hardwareOf, present } from '../ipc/presenter.ts';
import type { Registered, Registration } from '../registration/machine.ts';
import { boundedText } from '../sanitize/text.ts';

/** Faults by where they come from, so that each source can take its own back. */
export type ProblemSource = 'registration' | 'sync' | 'renewal' | 'store' | 'schedule';

/** Of what the disk, the key and the server tell, before any of them was asked. */
export const nothingKnown = {
  fingerprint: null,
  registration: null,
  program: null,
  identityProblem: null,
  rotationAsked: 0,
} as const satisfies Partial<Facts>;

/** What only the operator's overlay shows. */
export interface Sightings {
  readonly certificateUntilMs: number | null;
  readonly playlistVersion: number | null;
  readonly lastAnswerAtMs: number | null;
  readonly tpm: Overview['tpm'];
  readonly storeBytes: number | null;
}

/** What is known, gathered from all parts; every change is presented anew. */
export interface FactBook {
  update(change: Partial<Omit<Facts, 'problems' | 'blanked'>>): void;
  problem(source: ProblemSource, error: PlayerError | null): void;
  /** Remember for the operator; nothing on the screen changes by it. */
  note(sightings: Partial<Sightings>): void;
  known(): Sightings & Pick<Facts, 'fingerprint'> & { readonly hardware: HardwareWord };
  /** Look at the clock again: a grace period may have ended. */
  refresh(): void;
}

export interface RevocationPolicy {
  readonly whenRevoked: 'standby' | 'keep-playing';
  readonly graceSeconds: number;
}

/** Whether a screen that is refused since `suspendedSinceMs` must stop showing its content. */
export function isBlanked(registration: Registration | null, policy: RevocationPolicy, nowMs: number): boolean {
  if (registration?.state !== 'registered' || registration.suspendedSinceMs === null) return false;
  return policy.whenRevoked === 'standby' && nowMs >= registration.suspendedSinceMs + policy.graceSeconds * 1_000;
}

/** The operator's text, fit for a screen. */
function cleanName(registration: Registered): Registered {
  return { ...registration, screenName: boundedText(registration.screenName) };
}

/** @param publish gets the snapshot after every change */
export function createFactBook(
  initial: Omit<Facts, 'problems' | 'blanked'>,
  policy: RevocationPolicy,
  now: () => number,
  publish: (snapshot: Snapshot) => void,
): FactBook {
  let facts: Omit<Facts, 'problems' | 'blanked'> = initial;
  let sightings: Sightings = {
    certificateUntilMs: null,
    playlistVersion: null,
    lastAnswerAtMs: null,
    tpm: null,
    storeBytes: null,
  };
  const problems = new Map<ProblemSource, PlayerError>();
  const refresh = () =>
    publish(
      present({
        ...facts,
        problems: [...problems.values()].reverse(),
        blanked: isBlanked(facts.registration, policy, now()),
      }),
    );
  return {
    refresh,
    note: (change) => {
      sightings = { ...sightings, ...change };
    },
    known: () => ({ ...sightings, fingerprint: facts.fingerprint, hardware: hardwareOf(facts.registration) }),
    update: (change) => {
      facts = { ...facts, ...change };
      if (facts.registration?.state === 'registered') facts = { ...facts, registration: cleanName(facts.registration) };
      refresh();
    },
    problem: (source, error) => {
      problems.delete(source);
      if (error !== null) problems.set(source, error);
      refresh();
    },
  };
}

import { type ErrorCode, type PlayerError, tpmCodes } from '../errors.ts';
import type { Registration } from '../registration/machine.ts';
import type {
  HardwareWord,
  KeyProtection,
  Look,
  Program,
  RegistrationCard,
  Rotation,
  Snapshot,
  Sound,
  Trouble,
} from './contract.ts';
import { refusalTrouble, troubleOf } from './trouble.ts';

/** Everything that decides what the page shows. */
export interface Facts {
  readonly hostname: string;
  readonly playerVersion: string;
  readonly keyProtection: KeyProtection;
  /** Full SHA-256 of the SubjectPublicKeyInfo, hex; `null` until the key is open. */
  readonly fingerprint: string | null;
  /** Page that the QR code opens; the PIN is added to it. */
  readonly claimUrl: string;
  /** `null` until read from disk. */
  readonly registration: Registration | null;
  /** What plays now; `null` when nothing was ever synced. */
  readonly program: Program | null;
  /** Identity cannot be used: no key, no certificate. */
  readonly identityProblem: PlayerError | null;
  /** Faults that do not stop what is shown, latest first. */
  readonly problems: readonly PlayerError[];
  /** The screen is revoked, the grace period over and the policy says standby. */
  readonly blanked: boolean;
  /** From the settings; a rotation that is set there wins over the server's. */
  readonly look: Omit<Look, 'rotation'> & { readonly rotation: Rotation | null };
  /** What the server's configuration of the screen asks for. */
  readonly rotationAsked: Rotation;
  readonly sound: Sound;
}

/** What the key says when it is asked for a signature. */
const stopsTheKey: ReadonlySet<ErrorCode> = new Set(
  Object.values(tpmCodes).filter((code) => code !== 'INTERNAL' && code !== 'ATTESTATION_UNAVAILABLE'),
);

/** Facts → what the page shows: pure. Content that can play plays; then faults; then registration. */
export function present(facts: Facts): Snapshot {
  const { registration, program } = facts;
  const registered = registration?.state === 'registered';
  const base = {
    screenName: registered ? registration.screenName : null,
    hostname: facts.hostname,
    playerVersion: facts.playerVersion,
    keyProtection: facts.keyProtection,
    notice: noticeOf(facts),
    look: { ...facts.look, rotation: facts.look.rotation ?? facts.rotationAsked },
    sound: facts.sound,
  };
  if (registration === null) return { ...base, state: 'starting' };
  if (registered && facts.blanked) return { ...base, state: 'standby', reason: 'suspended' };
  if (registered && program !== null && program.items.length > 0) return { ...base, state: 'playing', program };
  const keyProblem = facts.identityProblem ?? facts.problems.find(({ code }) => stopsTheKey.has(code));
  // Without its key a screen can neither register nor fetch anything: there is nothing else to say.
  if (keyProblem !== undefined) return { ...base, state: 'trouble', trouble: troubleOf(keyProblem) };
  if (registered)
    return { ...base, state: 'standby', reason: program === null ? 'nothing-synced' : 'nothing-scheduled' };
  if (registration.state === 'refused')
    return { ...base, state: 'trouble', trouble: refusalTrouble(registration.reason) };
  return { ...base, state: 'registering', registration: cardOf(registration, facts) };
}

function cardOf(registration: Registration, facts: Facts): RegistrationCard | null {
  if (registration.state !== 'pending' || facts.fingerprint === null) return null;
  const claim = new URL(facts.claimUrl);
  claim.searchParams.set('pin', registration.pin);
  return {
    pin: registration.pin,
    fingerprint: facts.fingerprint.slice(0, 16),
    claimUrl: claim.href,
    expiresAtMs: registration.expiresAtMs,
    hardware: hardwareOf(registration),
  };
}

const unknownChip = /^endorsement-(untrusted|expired)$/;

/** What the server said of the hardware, in the few words that the page has. */
export function hardwareOf(registration: Registration | null): HardwareWord {
  const said = registration !== null && 'hardware' in registration ? registration.hardware : null;
  if (said === null) return null;
  if (said.verified) return { ...said, manufacturer: boundedWord(said.manufacturer), model: boundedWord(said.model) };
  if (said.code === 'attestation-absent') return { verified: false, reason: 'none' };
  return { verified: false, reason: unknownChip.test(said.code) ? 'unknown-chip' : 'refused' };
}

const boundedWord = (text: string) => text.slice(0, 24);

function noticeOf({ identityProblem, problems }: Facts): Trouble | null {
  const problem = identityProblem ?? problems[0];
  return problem === undefined ? null : troubleOf(problem);
}

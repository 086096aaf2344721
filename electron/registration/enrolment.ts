import { asPlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Attestor, Evidence } from '../tpm/attestation.ts';
import type { HardwareVerdict } from './machine.ts';
import { type Accepted, attest, type Hardware, type RegistrationTransport, register } from './server.ts';

/** What an enrolment needs of the world. */
export interface EnrolmentParts {
  readonly transport: RegistrationTransport;
  readonly attestor: Attestor | null;
  readonly hostname: string;
  readonly playerVersion: string;
  /** SHA-256 of our public key, hex. */
  readonly fingerprint: string;
  hardware(): Promise<Hardware>;
  /** A certificate request for the device key, PEM. */
  request(): Promise<string>;
  readonly log: Log;
}

/**
 * Open a registration, and prove that its key is in a genuine TPM where the server asks for that.
 * A TPM that has nothing to prove with is told so; the server's policy decides what follows.
 * @throws PlayerError ATTESTATION_REQUIRED, ATTESTATION_REFUSED, TPM_…, and those of `register`
 */
export async function enrol(parts: EnrolmentParts): Promise<Accepted> {
  const evidence = await evidenceOf(parts);
  const { accepted, csr, challenge } = await open(parts, evidence);
  if (challenge === null || parts.attestor === null) return told(parts, accepted);
  const answer = await unlessUnavailable(parts, parts.attestor.answer(challenge, csr));
  if (answer === null) return told(parts, (await open(parts, null)).accepted);
  return told(parts, { ...accepted, hardware: await attest(parts.transport, accepted, answer) });
}

async function open(parts: EnrolmentParts, evidence: Evidence | null) {
  const { transport, hostname, playerVersion, fingerprint } = parts;
  const csr = await parts.request();
  const hardware = await parts.hardware();
  return { ...(await register(transport, { csr, hostname, hardware, playerVersion, fingerprint, evidence })), csr };
}

async function evidenceOf(parts: EnrolmentParts): Promise<Evidence | null> {
  return parts.attestor === null ? null : unlessUnavailable(parts, parts.attestor.evidence());
}

/** `null` where the TPM cannot prove anything, for good; a TPM that is busy or away is tried again. */
async function unlessUnavailable<Value>({ log }: EnrolmentParts, asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (thrown) {
    const error = asPlayerError(thrown);
    if (error.code !== 'ATTESTATION_UNAVAILABLE') throw error;
    log.failure('attestation-unavailable', error);
    return null;
  }
}

function told({ log }: EnrolmentParts, accepted: Accepted): Accepted {
  const { hardware } = accepted;
  if (hardware !== null) log.info(eventOf(hardware), hardware.verified ? {} : { reason: hardware.code });
  return accepted;
}

const eventOf = ({ verified }: HardwareVerdict) => (verified ? 'hardware-verified' : 'hardware-unverified');

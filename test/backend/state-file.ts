/** Everything that outlives a restart, in one JSON file that is replaced atomically. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { hardwareRecord } from './hardware-identity.ts';

const registration = z.object({
  id: z.string(),
  pin: z.string(),
  /** SHA-256 of the poll token, hex: the file does not hold the token. */
  pollTokenDigest: z.string(),
  csrPem: z.string(),
  hostname: z.string(),
  /** SHA-256 of the key's SubjectPublicKeyInfo, hex. */
  fingerprint: z.string(),
  hardware: z.string(),
  hardwareIdentity: hardwareRecord.default({ state: 'not-asked' }),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  outcome: z.discriminatedUnion('status', [
    z.object({ status: z.literal('pending') }),
    /** An operator, or the policy for known hardware, has said yes; the issuer has not answered yet. */
    z.object({ status: z.literal('claimed'), screenId: z.string(), requestId: z.string() }),
    z.object({
      status: z.literal('issued'),
      screenId: z.string(),
      certificatePem: z.string(),
      chainPem: z.array(z.string()).default([]),
    }),
    z.object({ status: z.literal('denied') }),
    z.object({ status: z.literal('superseded') }),
  ]),
});

const screen = z.object({
  id: z.string(),
  name: z.string(),
  hostname: z.string(),
  fingerprint: z.string(),
  timezone: z.string(),
  hardwareIdentity: hardwareRecord.default({ state: 'not-asked' }),
  createdAtMs: z.number(),
  /** Why the issuer gave no certificate; `null` when all is well. */
  issuerProblem: z.string().nullable().default(null),
  /** Since when its certificates are revoked; it is not readmitted by itself any more. */
  revokedAtMs: z.number().nullable().default(null),
  /** Removed screens stay as a mark, so that their certificates are answered with 410. */
  removedAtMs: z.number().nullable(),
});

const certificate = z.object({
  serial: z.string(),
  screenId: z.string(),
  /** SHA-256 of the certificate, hex. */
  digest: z.string().default(''),
  /** How its issuer calls it. */
  reference: z.string().default(''),
  notAfterMs: z.number(),
  revoked: z.boolean(),
});

const stateSchema = z.object({
  format: z.literal(1),
  registrations: z.array(registration),
  screens: z.array(screen),
  certificates: z.array(certificate),
  playlist: z.object({ version: z.number(), digest: z.string() }),
});

export type RegistrationRecord = z.infer<typeof registration>;
export type ScreenRecord = z.infer<typeof screen>;
export type CertificateRecord = z.infer<typeof certificate>;
export type State = z.infer<typeof stateSchema>;

export interface StateFile {
  readonly state: State;
  /** Write the state; returns when it is on disk. */
  save(): void;
}

/**
 * Read `state.json` of a folder, or begin with an empty state.
 * @throws when the file is there and is not valid: it is never replaced by an empty one
 */
export function openStateFile(directory: string): StateFile {
  const file = join(directory, 'state.json');
  const state = read(file);
  return { state, save: () => writeAtomically(file, `${JSON.stringify(state, null, 1)}\n`) };
}

function read(file: string): State {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { format: 1, registrations: [], screens: [], certificates: [], playlist: { version: 0, digest: '' } };
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${file} is damaged; restore it from a copy, or move it away to begin without screens`, {
      cause: error,
    });
  }
}

/** Replace a file by rename after its bytes are on disk; mode 0600. */
export function writeAtomically(file: string, text: string): void {
  const part = `${file}.part`;
  const descriptor = openSync(part, 'w', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

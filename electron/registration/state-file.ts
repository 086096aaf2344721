import { join } from 'node:path';
import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { readPrivateFile, writePrivateFile } from '../private-file.ts';
import type { Registration } from './machine.ts';

// What a later version has added is kept as it is: going back to this one must not lose the registration.
const hardware = z
  .discriminatedUnion('verified', [
    z.looseObject({ verified: z.literal(true), manufacturer: z.string(), model: z.string() }),
    z.looseObject({ verified: z.literal(false), code: z.string() }),
  ])
  .nullable()
  // Files of earlier versions do not have it.
  .default(null);

const schema: z.ZodType<Registration> = z.discriminatedUnion('state', [
  z.looseObject({ state: z.literal('unregistered') }),
  z.looseObject({
    state: z.literal('pending'),
    id: z.string(),
    pin: z.string(),
    ticket: z.string(),
    expiresAtMs: z.number(),
    pollIntervalMs: z.number(),
    hardware,
  }),
  z.looseObject({
    state: z.literal('registered'),
    screenId: z.string(),
    screenName: z.string(),
    suspendedSinceMs: z.number().nullable(),
    hardware,
  }),
  z.looseObject({
    state: z.literal('refused'),
    reason: z.enum(['denied', 'key-mismatch', 'untrusted', 'usage', 'dates', 'unusable', 'invalid']),
    retryAtMs: z.number(),
  }),
]);

/** Where the registration is kept over restarts. */
export function registrationFile(stateDirectory: string): string {
  return join(stateDirectory, 'registration.json');
}

/**
 * The registration as it stood at the last exit. A damaged file counts as
 * unregistered and is reported: the device key is unharmed, the operator claims again.
 */
export async function loadRegistration(file: string, log: Log): Promise<Registration> {
  try {
    const text = await readPrivateFile(file);
    return text === undefined ? { state: 'unregistered' } : schema.parse(JSON.parse(text.toString('utf8')));
  } catch (thrown) {
    // A file that cannot be read at all may be whole: registering over it would lose it.
    if (thrown instanceof PlayerError && thrown.code === 'STATE_UNWRITABLE') throw thrown;
    log.warn('registration-state-damaged', { file, code: 'STATE_CORRUPT' });
    return { state: 'unregistered' };
  }
}

/** Write through to the disk, mode 0600 (it holds the poll ticket). */
export async function saveRegistration(file: string, registration: Registration): Promise<void> {
  await writePrivateFile(file, `${JSON.stringify(registration)}\n`);
}

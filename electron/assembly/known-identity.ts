import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCertificate, splitPem, type Verdict } from '../certificate/check.ts';
import type { IdentityFacts } from '../command/identity.ts';
import { readJournal } from '../journal.ts';
import type { Log } from '../log.ts';
import { readPrivateFile } from '../private-file.ts';
import type { Registration } from '../registration/machine.ts';
import { loadRegistration, registrationFile } from '../registration/state-file.ts';
import type { Settings } from '../settings.ts';
import { type DeviceKey, openDeviceKey } from '../tpm/key.ts';
import { announcedRootsFile } from './anchors.ts';

/** A command speaks by its output, not by the player's log. */
export const noLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  failure: () => undefined,
};

/** As much of the journal as `identity` shows. */
const journalLines = 40;

/** Open the device key if there is one; unlike the player this never makes one. @throws PlayerError */
export async function openKnownKey({ identity, state }: Settings): Promise<DeviceKey | undefined> {
  const keyFile = join(state.directory, 'device-key.pem');
  const softwareKeyFile = join(state.directory, 'device-key.software.pem');
  if (!existsSync(keyFile) && !(identity.allowSoftwareKey && existsSync(softwareKeyFile))) return undefined;
  const ownerAuth =
    identity.ownerAuthFile === undefined
      ? undefined
      : (await readFile(identity.ownerAuthFile, 'utf8')).replace(/\r?\n$/, '');
  const { tcti, allowSoftwareKey } = identity;
  const attestationKeyFile = join(state.directory, 'attestation-key.pem');
  return openDeviceKey({ attestationKeyFile, tcti, ownerAuth, allowSoftwareKey, keyFile, softwareKeyFile, log: noLog });
}

/** The stored certificate with what the player thinks of it. */
export interface KnownCertificate {
  readonly chainPem: string;
  readonly leaf: X509Certificate | undefined;
  readonly verdict: Verdict;
}

/** @param publicKey of the device key, DER; without it every certificate is for another key */
export async function readCertificate(
  { identity, state }: Settings,
  publicKey: Buffer,
): Promise<KnownCertificate | undefined> {
  const text = (await readPrivateFile(join(state.directory, 'certificate.pem')))?.toString('utf8');
  if (text === undefined) return undefined;
  const chain = splitPem(text);
  const announced = await readPrivateFile(announcedRootsFile({ state }));
  const anchors = `${await readFile(identity.deviceCaFile, 'utf8')}\n${announced?.toString('utf8') ?? ''}`;
  const verdict = checkCertificate(chain, publicKey, anchors, Date.now());
  return { chainPem: chain.join('\n'), leaf: leafOf(chain), verdict };
}

function leafOf([first]: readonly string[]): X509Certificate | undefined {
  try {
    return first === undefined ? undefined : new X509Certificate(first);
  } catch {
    return undefined;
  }
}

export const readRegistration = (settings: Settings): Promise<Registration> =>
  loadRegistration(registrationFile(settings.state.directory), noLog);

/** Everything that makes this machine one certain screen, for `identity`. @throws PlayerError */
export async function readIdentity(settings: Settings): Promise<IdentityFacts> {
  const key = await openKnownKey(settings);
  try {
    const registration = await readRegistration(settings);
    const certificate = await readCertificate(settings, key?.publicKey ?? Buffer.alloc(0));
    const registered = registration.state === 'registered' ? registration : null;
    return {
      hostname: settings.identity.hostname,
      keyProtection: key?.protection ?? 'none',
      fingerprint: key?.fingerprint ?? null,
      tcti: settings.identity.tcti,
      registration: registration.state,
      screenId: registered?.screenId ?? null,
      screenName: registered?.screenName ?? null,
      certificate: certificate === undefined ? null : described(certificate),
      hardware: hardwareText(registration),
      journal: await readJournal(settings.state.directory, journalLines),
    };
  } finally {
    await key?.close();
  }
}

function hardwareText(registration: Registration): string | null {
  const said = 'hardware' in registration ? registration.hardware : null;
  if (said === null) return null;
  if (!said.verified) return `not verified: ${said.code}`;
  return `verified (${[said.manufacturer, said.model].filter(Boolean).join(', ')})`;
}

function described({ leaf, verdict }: KnownCertificate): IdentityFacts['certificate'] {
  return {
    subject: leaf?.subject.replaceAll('\n', ', ') ?? '-',
    issuer: leaf?.issuer.replaceAll('\n', ', ') ?? '-',
    serial: leaf?.serialNumber ?? '-',
    notBefore: leaf === undefined ? '-' : new Date(leaf.validFrom).toISOString(),
    notAfter: leaf === undefined ? '-' : new Date(leaf.validTo).toISOString(),
    verdict: verdict.ok ? 'ok' : verdict.reason,
  };
}

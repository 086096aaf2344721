import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { opensslVersion } from 'node-tss';
import { checkCertificate } from '../certificate/check.ts';
import { type CertificateStore, createCertificateStore } from '../certificate/store.ts';
import { certificateRequest } from '../csr/request.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../mtls/backoff.ts';
import { createOriginClient } from '../mtls/client.ts';
import { apiConnector } from '../mtls/connector.ts';
import { putAside } from '../private-file.ts';
import { createRegistrationDriver, type RegistrationDriver } from '../registration/driver.ts';
import { enrol } from '../registration/enrolment.ts';
import { readHardware } from '../registration/hardware.ts';
import type { Registration } from '../registration/machine.ts';
import { poll } from '../registration/server.ts';
import { registrationFile, saveRegistration } from '../registration/state-file.ts';
import type { Settings } from '../settings.ts';
import { type DeviceKey, openDeviceKey } from '../tpm/key.ts';
import type { FactBook } from './facts.ts';
import { waitFor } from './waiting.ts';

export interface IdentityParts {
  readonly settings: Settings;
  readonly playerVersion: string;
  /** The registration as it stood at the last exit. */
  readonly initial: Registration;
  readonly facts: FactBook;
  readonly log: Log;
  /** Playlist and media of a removed screen. */
  forgetContent(): Promise<void>;
}

/** Everything that makes this machine one certain screen. */
export interface Identity {
  readonly key: DeviceKey;
  readonly certificates: CertificateStore;
  readonly registration: RegistrationDriver;
  /** A certificate request for the device key, PEM. */
  request(): Promise<string>;
}

/** Read a PEM file that the settings name. @throws PlayerError SETTINGS_INVALID naming key and file */
async function readNamed(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new PlayerError('SETTINGS_INVALID', `${key}: ${file}: ${reason}`, cause);
  }
}

/** Open the device key and what belongs to it. @throws PlayerError when the TPM or the files do not allow it */
export async function openIdentity(parts: IdentityParts): Promise<Identity> {
  const { settings, facts, log } = parts;
  const { identity, server, state } = settings;
  log.info('tls-library', { version: `openssl ${opensslVersion()}` });
  const anchors = await readNamed('identity.deviceCaFile', identity.deviceCaFile);
  if (server.caFile !== undefined) await readNamed('server.caFile', server.caFile);
  const ownerAuth =
    identity.ownerAuthFile === undefined
      ? undefined
      : (await readNamed('identity.ownerAuthFile', identity.ownerAuthFile)).replace(/\r?\n$/, '');
  const key = await openDeviceKey({
    tcti: identity.tcti,
    ownerAuth,
    allowSoftwareKey: identity.allowSoftwareKey,
    keyFile: deviceKeyFile(settings),
    attestationKeyFile: attestationKeyFile(settings),
    softwareKeyFile: join(state.directory, 'device-key.software.pem'),
    log,
  });
  facts.update({ keyProtection: key.protection, fingerprint: key.fingerprint, identityProblem: null });
  key.chip().then(
    (tpm) => facts.note({ tpm }),
    (thrown: unknown) => log.failure('tpm-info-failed', thrown),
  );
  log.info('device-key-opened', { keyProtection: key.protection, fingerprint: key.fingerprint });

  const certificates = createCertificateStore(join(state.directory, 'certificate.pem'), (chain) =>
    checkCertificate(chain, key.publicKey, anchors, Date.now()),
  );
  const request = () => certificateRequest(identity.hostname, key);
  const client = createOriginClient(server.origin, apiConnector(settings));
  const registration = createRegistrationDriver(parts.initial, {
    register: () =>
      enrol({
        transport: client,
        attestor: identity.attestation === 'offer' ? key.attestor : null,
        hostname: identity.hostname,
        playerVersion: parts.playerVersion,
        fingerprint: key.fingerprint,
        hardware: () => readHardware(),
        request,
        log,
      }),
    poll: (id, ticket) => poll(client, id, ticket),
    storeCertificate: async ({ certificate, chain }) => {
      const saved = await certificates.save([certificate, ...chain]);
      return 'ok' in saved ? saved.reason : 'stored';
    },
    forgetContent: async () => {
      // The certificate goes last: as long as it is there, an interrupted removal is found out and done again.
      await parts.forgetContent();
      await certificates.forget();
    },
    persist: (next) => saveRegistration(registrationFile(state.directory), next),
    publish: (next) => facts.update({ registration: next }),
    report: (problem) => facts.problem('registration', problem === null ? null : asPlayerError(problem)),
    wait: waitFor,
    backoff: (attempt) => backoffMs(attempt, Math.random()),
    now: Date.now,
    log,
  });
  facts.update({ registration: registration.current });
  return { key, certificates, registration, request };
}

/** The attestation key, of use to this TPM only. */
export function attestationKeyFile(settings: Settings): string {
  return join(settings.state.directory, 'attestation-key.pem');
}

/** The wrapped blob's file. */
function deviceKeyFile(settings: Settings): string {
  return join(settings.state.directory, 'device-key.pem');
}

/** The TPM was cleared or another board took the disk: keep the old blob for the auditor and start with a new key. */
export async function putLostKeyAside(settings: Settings, nowMs: number): Promise<void> {
  await putAside(deviceKeyFile(settings), `lost-${nowMs}`);
  await putAside(join(settings.state.directory, 'certificate.pem'), `lost-${nowMs}`);
  await putAside(attestationKeyFile(settings), `lost-${nowMs}`);
}

import { join } from 'node:path';
import { opensslVersion } from 'node-tss';
import { checkCertificate } from '../certificate/check.ts';
import { type CertificateStore, createCertificateStore } from '../certificate/store.ts';
import { certificateRequest } from '../csr/request.ts';
import { asPlayerError } from '../errors.ts';
import { type Journal, openJournal } from '../journal.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../mtls/backoff.ts';
import { createOriginClient } from '../mtls/client.ts';
import { apiConnector, refusedByTls } from '../mtls/connector.ts';
import { putAside } from '../private-file.ts';
import { createRegistrationDriver, type RegistrationDriver } from '../registration/driver.ts';
import { enrol } from '../registration/enrolment.ts';
import { readHardware } from '../registration/hardware.ts';
import type { Registration } from '../registration/machine.ts';
import { poll } from '../registration/server.ts';
import { registrationFile, saveRegistration } from '../registration/state-file.ts';
import type { Settings } from '../settings.ts';
import { type DeviceKey, openDeviceKey } from '../tpm/key.ts';
import { type Anchors, openAnchors, readNamed } from './anchors.ts';
import type { FactBook } from './facts.ts';
import { journaledStore, registrationEvent } from './identity-journal.ts';
import { finishRekey } from './rekey.ts';
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
  readonly anchors: Anchors;
  readonly journal: Journal;
  /** A certificate request for the device key, PEM. */
  request(): Promise<string>;
  /**
   * Ask for a new certificate as the same screen, with the same key and hardware, where the old one has ended.
   * @returns `refused`: the new one does not hold by our clock and trust; `operator`: the server wants a person to decide
   * @throws PlayerError
   */
  reenrol(): Promise<'renewed' | 'refused' | 'operator'>;
  /** What the server's clock says, Unix milliseconds, over TLS; `null` where it does not tell. @throws PlayerError */
  serverTime(): Promise<number | null>;
}

/** How often an issuer is waited for before all is asked anew. */
const mostPolls = 12;

/** Open the device key and what belongs to it. @throws PlayerError when the TPM or the files do not allow it */
export async function openIdentity(parts: IdentityParts): Promise<Identity> {
  const { settings, facts, log } = parts;
  const { identity, server, state } = settings;
  log.info('tls-library', { version: `openssl ${opensslVersion()}` });
  const journal = openJournal(state.directory, Date.now, log);
  const anchors = await openAnchors(settings, journal, log);
  if (server.caFile !== undefined) await readNamed('server.caFile', server.caFile);
  const ownerAuth =
    identity.ownerAuthFile === undefined
      ? undefined
      : (await readNamed('identity.ownerAuthFile', identity.ownerAuthFile)).replace(/\r?\n$/, '');
  await finishRekey(settings);
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

  if (key.created) await journal.write('key-created', { key: key.fingerprint });

  const store = createCertificateStore(
    join(state.directory, 'certificate.pem'),
    (chain) => checkCertificate(chain, key.publicKey, anchors.bundle(), Date.now()),
    (chainPem) => {
      const refused = refusedByTls(key.signingKey, chainPem);
      if (refused !== null) log.failure('certificate-unusable', refused);
      return refused === null;
    },
  );
  const certificates = journaledStore(store, journal, key.fingerprint);
  const attestor = identity.attestation === 'never' ? null : key.attestor;
  const request = () => requestFor(settings, key);
  const client = createOriginClient(
    server.origin,
    apiConnector(settings, () => undefined, anchors.announced),
  );
  const enrolment = () =>
    enrol({
      transport: client,
      attestor,
      hostname: identity.hostname,
      playerVersion: parts.playerVersion,
      fingerprint: key.fingerprint,
      hardware: () => readHardware(),
      request,
      log,
    });
  let before = parts.initial;
  const registration = createRegistrationDriver(parts.initial, {
    register: enrolment,
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
    persist: async (next) => {
      await saveRegistration(registrationFile(state.directory), next);
      const said = registrationEvent(before, next);
      before = next;
      if (said !== null) await journal.write(said.event, { key: key.fingerprint, ...said.details });
    },
    publish: (next) => facts.update({ registration: next }),
    report: (problem) => facts.problem('registration', problem === null ? null : asPlayerError(problem)),
    wait: waitFor,
    backoff: (attempt) => backoffMs(attempt, Math.random()),
    now: Date.now,
    log,
  });
  facts.update({ registration: registration.current });
  return {
    ...{ key, certificates, registration, anchors, journal, request },
    reenrol: async () => {
      const accepted = await enrolment();
      let reply = await poll(client, accepted.id, accepted.ticket);
      for (let tries = 0; reply.status === 'pending' && reply.granted && tries < mostPolls; tries++) {
        await waitFor(accepted.pollIntervalMs, AbortSignal.timeout(accepted.pollIntervalMs * 2));
        reply = await poll(client, accepted.id, accepted.ticket);
      }
      if (reply.status === 'pending' && reply.granted) return 'refused';
      if (reply.status !== 'issued') return 'operator';
      const saved = await certificates.save([reply.issued.certificate, ...reply.issued.chain]);
      if ('ok' in saved) return 'refused';
      await journal.write('re-enrolled', { key: key.fingerprint });
      return 'renewed';
    },
    serverTime: async () => {
      const reply = await client.call({ method: 'GET', path: '/api/v2/screens/playlist' });
      const dateMs = Date.parse(reply.header('date') ?? '');
      return Number.isFinite(dateMs) ? dateMs : null;
    },
  };
}

/** A certificate request for a key of ours, with evidence in it where the settings want that. @throws PlayerError */
export async function requestFor({ identity }: Settings, key: DeviceKey): Promise<string> {
  const withEvidence = identity.attestation === 'in-request' && key.attestor !== null;
  return certificateRequest(identity.hostname, key, withEvidence ? await key.attestor.attribute() : null);
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

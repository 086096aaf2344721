/** A registered screen's session against a server that says what a test wants, with keys in software. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { softwareKey } from 'node-tss';
import { openAnchors } from '../../electron/assembly/anchors.ts';
import type { Content } from '../../electron/assembly/content.ts';
import type { FactBook } from '../../electron/assembly/facts.ts';
import { type Identity, requestFor } from '../../electron/assembly/identity.ts';
import { runSession } from '../../electron/assembly/session.ts';
import { checkCertificate, splitPem } from '../../electron/certificate/check.ts';
import { createCertificateStore } from '../../electron/certificate/store.ts';
import { PlayerError } from '../../electron/errors.ts';
import { openJournal } from '../../electron/journal.ts';
import { refusedByTls } from '../../electron/mtls/connector.ts';
import { writePrivateFile } from '../../electron/private-file.ts';
import type { RegistrationDriver } from '../../electron/registration/driver.ts';
import type { Settings } from '../../electron/settings.ts';
import type { DeviceKey } from '../../electron/tpm/key.ts';
import { acceptRequest } from '../backend/certificate-request.ts';
import { createKey, keyPem } from './certificates.ts';
import { startHttpsOrigin } from './https-origin.ts';
import { recordedLog } from './recorded-log.ts';
import { authorities } from './tls-identities.ts';

const hostname = 'lobby';
const { servers, clients } = authorities();

/** One question of the player; the names are those that the test gave the certificates. */
export interface Asked {
  readonly path: string;
  /** Common name of the certificate that was shown. */
  readonly shown: string;
  /** Whether that certificate has not ended yet. */
  readonly isDated: boolean;
  /** Answer with JSON. */
  say(status: number, body: unknown): void;
  /** Answer with an event stream, and send `event: certificate` with each of these data. */
  stream(...certificateWords: readonly string[]): ServerResponse;
  /** Of `POST …/certificate`. @returns whether it is for the key that the session began with, and what issues for it */
  request(): Promise<{ readonly isOld: boolean; issue(commonName: string, untilMs?: number): void }>;
}

/** @param untilMs end of the certificate that the session begins with, Unix milliseconds, on a whole second */
export async function screenSession(untilMs: number, answer: (asked: Asked) => void | Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), 'signet-session-'));
  const file = (name: string) => join(directory, name);
  const pem = keyPem(createKey().privateKey);
  writeFileSync(file('device-key.pem'), pem);
  writeFileSync(file('clients.pem'), clients.certificatePem);
  writeFileSync(file('servers.pem'), servers.certificatePem);
  const key = keyInSoftware(pem);
  const publicKey = createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
  const issued = (publicKey: KeyObject, commonName: string, toMs: number) =>
    clients.issue({
      commonName,
      publicKey,
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(toMs),
      purposes: ['clientAuth'],
    }).pem;

  const listener: RequestListener = (request, response) => {
    const leaf = (request.socket as TLSSocket).getPeerX509Certificate();
    const say = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    void answer({
      path: request.url ?? '',
      shown: leaf?.subject.replace('CN=', '') ?? 'nobody',
      isDated: Date.now() <= Date.parse(leaf?.validTo ?? ''),
      say,
      stream: (...words) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(words.map((word) => `event: certificate\ndata: ${word}\n\n`).join('') || '\n');
        return response;
      },
      request: async () => {
        const { publicKey } = acceptRequest(JSON.parse(await textOf(request)).csr, hostname);
        return {
          isOld: key.publicKey.equals(publicKey.export({ type: 'spki', format: 'der' })),
          issue: (commonName, toMs = Date.now() + 86_400_000) =>
            say(200, { certificate: issued(publicKey, commonName, toMs), chain: [] }),
        };
      },
    });
  };
  // 72 s: what fastify, which the reference server is made with, sets by itself.
  const server = await startHttpsOrigin(servers, listener, { keepAliveTimeout: 72_000 });
  const { origin } = server;
  const settings = {
    server: { origin, caFile: file('servers.pem'), allowTls12: false },
    identity: { hostname, attestation: 'never', deviceCaFile: file('clients.pem') },
    state: { directory },
  } as Settings;
  const { log, events } = recordedLog();
  const journal = openJournal(directory, Date.now, log);
  const anchors = await openAnchors(settings, journal, log);
  const certificates = createCertificateStore(
    file('certificate.pem'),
    (chain) => checkCertificate(chain, key.publicKey, anchors.bundle(), Date.now()),
    (chainPem) => refusedByTls(key.signingKey, chainPem) === null,
  );
  const told: string[] = [];
  const registration = { tell: async ({ type }) => void told.push(type) } as Partial<RegistrationDriver>;
  const request = () => requestFor(settings, key);
  const identity = { key, certificates, journal, anchors, request, registration } as Identity;
  const certificate = await certificates.save([issued(publicKey, 'screen-old', untilMs)]);
  if ('ok' in certificate) throw new Error(certificate.reason);
  const facts = { note: () => {}, problem: () => {}, update: () => {} } as Partial<FactBook> as FactBook;
  return {
    settings,
    directory,
    events,
    /** What the registration was told, in order. */
    told,
    run: (signal: AbortSignal) => runSession({ settings, identity, content: nothing, facts, log }, certificate, signal),
    /** Whether the key and the certificate that the next start reads belong together: `ok`, or why not. */
    onDisk: () => {
      const { publicKey } = softwareKey(readFileSync(file('device-key.pem'), 'utf8'));
      const chain = splitPem(readFileSync(file('certificate.pem'), 'utf8'));
      const verdict = checkCertificate(chain, publicKey, clients.certificatePem, Date.now());
      return verdict.ok ? 'ok' : verdict.reason;
    },
    close: async () => {
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** A key that may be changed, as one in a TPM may. */
function keyInSoftware(pem: string): DeviceKey {
  const signingKey = softwareKey(pem);
  const { publicKey } = signingKey;
  return {
    ...{ protection: 'software', publicKey, signingKey, attestor: null, created: false },
    fingerprint: createHash('sha256').update(publicKey).digest('hex'),
    sign: (digest) => signingKey.sign(digest),
    chip: async () => null,
    close: async () => {},
    successor: async (keyFile) => {
      const next = keyPem(createKey().privateKey);
      await writePrivateFile(keyFile, next);
      return keyInSoftware(next);
    },
  };
}

/** No playlist and no media. */
const nothing = {
  onMissing: () => () => {},
  known: () => ({ etag: undefined }),
  keptBytes: () => 0,
  syncPorts: () => ({
    parse: () => {
      throw new PlayerError('PLAYLIST_INVALID', 'none');
    },
  }),
} as Partial<Record<keyof Content, unknown>> as Content;

async function textOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await request.toArray()).toString();
}

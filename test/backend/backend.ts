/** The reference management server: composition and the interface for the demo and for tests. */
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { PurposePolicy } from 'node-tss/attestation';
import { identifyScreen, keyOf } from './client-identity.ts';
import type { Context } from './context.ts';
import { EventHub } from './event-hub.ts';
import { applyFaults } from './fault-injection.ts';
import { type Fault, FaultPlan } from './fault-plan.ts';
import { type AttestationPolicy, HardwareIdentities } from './hardware-identity.ts';
import { createHttpsServer, setIdentity, socketOf } from './https-server.ts';
import { builtInIssuer } from './issuers/built-in.ts';
import type { Issuer } from './issuers/issuer.ts';
import { KeyChanges } from './key-changes.ts';
import { openLocalAuthority } from './local-authority.ts';
import { type Media, openMediaLibrary } from './media-library.ts';
import { Operators } from './operators.ts';
import { normalizePin } from './pin.ts';
import { type PlaylistContent, samplePlaylists } from './playlists.ts';
import { Programming } from './programming.ts';
import { Registrations } from './registrations.ts';
import { type LoggedRequest, logRequests } from './request-log.ts';
import { consoleRoutes } from './routes/console.ts';
import { operatorRoutes } from './routes/operator.ts';
import { registrationRoutes } from './routes/registration.ts';
import { screenRoutes } from './routes/screen.ts';
import {
  type PendingDocument,
  pendingDocument,
  readTimezone,
  type ScreenDocument,
  screenDocument,
} from './screen-document.ts';
import { Screens } from './screens.ts';
import { openStateFile, writeAtomically } from './state-file.ts';
import { TurnedAway, type TurnedAwayDocument } from './turned-away.ts';

export interface BackendOptions {
  /** Folder for the authority, the operator token and the state; made with mode 0700 when missing. */
  readonly stateDirectory: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Address to listen on; 127.0.0.1 where absent. */
  readonly host?: string;
  /** Lifetime of client certificates; 30 days where absent. */
  readonly certificateLifetimeSeconds?: number;
  /** How long a PIN is valid; 15 minutes where absent. */
  readonly registrationLifetimeMs?: number;
  /** What players are told to wait between polls; 5 seconds where absent. */
  readonly pollIntervalSeconds?: number;
  /** Registrations that one address may open in a minute; 30 where absent. */
  readonly registrationsPerMinute?: number;
  /** Who signs the screens' certificates; the server's own authority where absent. */
  readonly issuer?: Issuer;
  /** Whether screens must prove that their key is in a genuine TPM; `off` where absent. */
  readonly attestation?: AttestationPolicy;
  /** PEM, one certificate each: makers of TPMs whose endorsement certificates are believed. */
  readonly endorsementAuthorities?: readonly string[];
  /** PEM, one certificate each: what may lie between an endorsement certificate and its maker's authority. */
  readonly endorsementIntermediates?: readonly string[];
  /** SHA-256 of endorsement keys (SubjectPublicKeyInfo), hex: chips that are known one by one. */
  readonly endorsementHashes?: readonly string[];
  /** Whether an endorsement certificate must say that it is one; `required` where absent. */
  readonly endorsementPurpose?: PurposePolicy;
  /** Whether a screen that proves to be the same key in the same chip gets a new certificate without an operator. */
  readonly readmits?: boolean;
  /** How long the answer to a challenge is waited for; two minutes where absent. */
  readonly challengeLifetimeMs?: number;
  /** Unix milliseconds; the system's clock where absent. */
  readonly now?: () => number;
  /** Folder of the checkout, for the console's files and the sample media; the working directory where absent. */
  readonly projectDirectory?: string;
}

export interface Backend {
  /** `https://localhost:<port>` */
  readonly origin: string;
  readonly port: number;
  /** PEM file of the authority: trust anchor for this server and, unless another is given, issuer of client certificates. */
  readonly caFile: string;
  /** PEM file of the authorities that device certificates chain to: those of the issuer. */
  readonly deviceCaFile: string;
  readonly operatorToken: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly LoggedRequest[];
  /** Screens that wait to be claimed. */
  pending(): readonly PendingDocument[];
  /** Devices that were refused for their hardware, the latest first. */
  turnedAway(): readonly TurnedAwayDocument[];
  screens(): readonly ScreenDocument[];
  /** Do as an operator who types a PIN. @throws Refusal 404, 409 */
  claim(pin: string, name: string, timezone?: string): ScreenDocument;
  /** Refuse a waiting registration. @throws Refusal 404 */
  deny(pin: string): void;
  /** Replace what every screen plays, and tell them. */
  setPlaylist(content: PlaylistContent): void;
  /** The sample content for this server. */
  samplePlaylist(): PlaylistContent;
  /** Add media; served under `<origin>/media/<sha256>`. */
  addMedia(name: string, bytes: Buffer): Media;
  /** Send a `command` event. */
  pushCommand(command: Readonly<Record<string, unknown>>, screenId?: string): void;
  /** Send any event, such as `certificate`. */
  sendEvent(name: string, data: string, screenId?: string): void;
  /** Event streams that are open now. */
  openStreams(): number;
  /** End the event streams, as a restart of a proxy would. */
  endStreams(): void;
  /** Revoke a screen's certificates: 403 from now on. */
  revoke(screenId: string): void;
  /** Remove a screen: 410 from now on. */
  remove(screenId: string): void;
  /** Make the next authority and tell the screens of it; it signs nothing yet. */
  announceNextAuthority(): void;
  /** Sign with the announced authority from now on, this server's own certificate included. */
  rollOver(): Promise<void>;
  /** Let a coming request fail. */
  failNext(fault: Fault): void;
  /** Take back the faults that did not strike. */
  clearFaults(): void;
  /** Answer a request that another server of this process got, over TLS with a client certificate asked for. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Stop listening and close every connection. */
  close(): Promise<void>;
}

/** Start the server. A state folder that was used before brings back its authority, screens and registrations. */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const now = options.now ?? Date.now;
  const project = options.projectDirectory ?? process.cwd();
  mkdirSync(options.stateDirectory, { recursive: true, mode: 0o700 });
  const file = openStateFile(options.stateDirectory);
  const authority = openLocalAuthority(options.stateDirectory, new Date(now()));
  const issuer = options.issuer ?? builtInIssuer(authority, now);
  const deviceCaFile = join(options.stateDirectory, 'device-ca.pem');
  writeAtomically(deviceCaFile, (await issuer.roots()).join(''));
  const library = openMediaLibrary(join(project, 'test/fixtures/media'));
  const policy = options.attestation ?? 'off';
  const trust = {
    authorities: options.endorsementAuthorities ?? [],
    intermediates: options.endorsementIntermediates ?? [],
    endorsementHashes: options.endorsementHashes ?? [],
    endorsementPurpose: options.endorsementPurpose ?? 'required',
  };
  const hardware = new HardwareIdentities(policy, trust, now, options.challengeLifetimeMs);
  const registrations = new Registrations(file, now, options.registrationLifetimeMs ?? 900_000, policy);
  const turnedAway = new TurnedAway(now);
  const screens = new Screens(file, issuer, now, options.certificateLifetimeSeconds ?? 30 * 86_400);
  const operators = new Operators(options.stateDirectory, now);
  const events = new EventHub();
  const faults = new FaultPlan();
  const identity = async () => ({
    ...authority.issueServer(now()),
    ca: [...new Set([...authority.roots(), ...(await issuer.roots())])].join(''),
  });
  const server = createHttpsServer(await identity());
  const requests = logRequests(
    server,
    (request) => socketOf(request).getPeerX509Certificate() !== undefined && socketOf(request).authorized,
  );
  // One clock: what it says of the time is what it judges by.
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('date', new Date(now()).toUTCString());
  });
  applyFaults(server, faults);
  // The sample content names the origin, and a port of 0 is known only when the server listens.
  const programming = { current: undefined as Programming | undefined };
  const context: Context = {
    now,
    issuer,
    hardware,
    keyChanges: new KeyChanges(hardware),
    readmits: options.readmits ?? false,
    registrations,
    turnedAway,
    screens,
    get programming() {
      if (programming.current === undefined) throw new Error('the server is not ready');
      return programming.current;
    },
    events,
    library,
    operators,
    pollIntervalSeconds: options.pollIntervalSeconds ?? 5,
    registrationsPerMinute: options.registrationsPerMinute ?? 30,
    consoleDirectory: join(project, 'test/backend/console'),
    typefaceFile: join(project, 'node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'),
    identify: (request) => identifyScreen(socketOf(request), screens, now()),
    presentKey: (request) => keyOf(socketOf(request)),
  };
  for (const routes of [consoleRoutes, registrationRoutes, operatorRoutes, screenRoutes]) {
    await server.register(async (scope) => routes(scope, context));
  }
  await server.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const origin = `https://localhost:${port}`;
  programming.current = new Programming(file, now, samplePlaylists(origin, library));

  return {
    origin,
    port,
    caFile: authority.caFile,
    deviceCaFile,
    operatorToken: operators.token,
    requests,
    pending: () => registrations.pending().map(pendingDocument),
    turnedAway: () => turnedAway.list(),
    screens: () => screens.list().map((screen) => screenDocument(screen, context)),
    claim(pin, name, timezone) {
      const registration = registrations.claimable(normalizePin(pin));
      return screenDocument(screens.claim(registration, name, readTimezone(timezone)), context);
    },
    deny: (pin) => registrations.deny(registrations.claimable(normalizePin(pin)).id),
    setPlaylist(content) {
      context.programming.replace(content);
      events.send('playlist', String(context.programming.version));
    },
    samplePlaylist: () => samplePlaylists(origin, library),
    addMedia: (name, bytes) => library.add(name, bytes),
    pushCommand: (command, screenId) => events.send('command', JSON.stringify(command), screenId),
    sendEvent: (name, data, screenId) => events.send(name, data, screenId),
    openStreams: () => events.openCount,
    endStreams: () => events.end(),
    revoke(screenId) {
      screens.revoke(screenId);
      events.end(screenId);
    },
    remove(screenId) {
      screens.remove(screenId);
      events.end(screenId);
    },
    announceNextAuthority() {
      authority.announceNext(new Date(now()));
      events.send('certificate', 'roots');
    },
    async rollOver() {
      authority.rollOver();
      setIdentity(server, await identity());
    },
    failNext: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    answer: (request, response) => server.routing(request, response),
    async close() {
      events.close();
      await server.close();
    },
  };
}

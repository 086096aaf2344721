import type { Readable } from 'node:stream';
import { buildConnector } from 'undici';
import { runRenewal } from '../certificate/renewer.ts';
import type { DeviceCertificate } from '../certificate/store.ts';
import { asPlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../mtls/backoff.ts';
import { createOriginClient, type OriginClient } from '../mtls/client.ts';
import { apiConnector, foreignConnector } from '../mtls/connector.ts';
import { requestRenewal } from '../mtls/renewal.ts';
import { createRests } from '../mtls/rests.ts';
import { retryAfterMs } from '../mtls/retry-after.ts';
import { downloadPlaylist } from '../playlist/download.ts';
import { listenForEvents } from '../playlist/events.ts';
import { runSyncLoop } from '../playlist/loop.ts';
import { sync } from '../playlist/sync.ts';
import type { Settings } from '../settings.ts';
import type { Content } from './content.ts';
import type { FactBook, ProblemSource } from './facts.ts';
import { heed } from './heed.ts';
import type { Identity } from './identity.ts';
import { rekey } from './rekey.ts';
import { everyTime, learnRoots, untilRekeyed } from './upkeep.ts';
import { createPoke, oneAtATime, waitFor } from './waiting.ts';

/** While files are fetched the playlist is asked for as often as otherwise: another may be due, or none any more. */
const askAgainMs = 54_000;
const mostForeignOrigins = 32;

export interface SessionParts {
  readonly settings: Settings;
  readonly identity: Identity;
  readonly content: Content;
  readonly facts: FactBook;
  readonly log: Log;
}

/**
 * Be a registered screen: sync, listen for pushes and renew the certificate, all
 * over mutual TLS with the device key.
 * @returns when the server says that the screen was removed, the certificate has ended, or the key was changed
 * @throws when `signal` aborts
 */
export async function runSession(
  parts: SessionParts,
  certificate: DeviceCertificate,
  signal: AbortSignal,
): Promise<'removed' | 'lapsed' | 'rekeyed'> {
  const { settings, identity, content, facts, log } = parts;
  let present = certificate;
  const api = createOriginClient(
    settings.server.origin,
    apiConnector(
      settings,
      () => ({ key: identity.key.signingKey, certificateChain: present.chainPem }),
      identity.anchors.announced,
    ),
  );
  const foreign = foreignClients(settings);
  const rests = createRests(() => performance.now());
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let toldOfCommands = false;
  facts.note({ certificateUntilMs: certificate.notAfterMs });
  const syncNow = createPoke();
  // Its wait does not see that the machine slept or its clock was set: a refusal after the end makes it look again.
  const renewNow = createPoke();
  const hasEnded = () => Date.now() > present.notAfterMs;
  const rekeyNow = createPoke();
  const listenNow = createPoke();
  const rootsNow = createPoke();
  const certificateWord = (data: string) => (data === 'rekey' ? rekeyNow : data === 'roots' ? rootsNow : renewNow);
  // While a sync is under way a poke makes it ask for the playlist again, and a file that went missing meanwhile may not be
  // among those that it fetches: it is another sync's.
  let isSyncing = false;
  let wentMissing = false;
  const unlisten = content.onMissing(() => {
    if (isSyncing) wentMissing = true;
    else syncNow.poke();
  });
  const backoff = (attempt: number) => backoffMs(attempt, Math.random());
  const retryAfter = (header: (name: string) => string | undefined) => retryAfterMs(header, Date.now());
  const report = (source: ProblemSource) => (problem: unknown) =>
    facts.problem(source, problem === null ? null : asPlayerError(problem));

  // Key and certificate are two files: whoever changes one of them is alone, and nobody begins after the end.
  const inTurn = oneAtATime();
  const alone = <T>(work: () => Promise<T>) =>
    inTurn(() => {
      either.throwIfAborted();
      return work();
    });
  const changeKey = async () => {
    const isChanged = await rekey({ settings, identity, log }, api);
    // At once: a renewal that waits for its turn is one of the key that was.
    if (isChanged) over.abort();
    return isChanged;
  };
  const readRoots = () => learnRoots(api, identity, () => present, log);
  const learning = everyTime(rootsNow, readRoots, either);
  const rekeying = untilRekeyed(rekeyNow, () => alone(changeKey), either);
  let pushes: Readable | undefined;
  const listening = listenForEvents(
    {
      open: async (lastEventId, abort) => {
        const last = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
        const shown = present;
        const reply = await api.open('/api/v2/screens/events', { accept: 'text/event-stream', ...last }, abort);
        pushes = reply.body;
        if (present !== shown) pushes.destroy();
        return { status: reply.status, body: reply.body, retryAfterMs: retryAfter(reply.header) };
      },
      take: (event, data) => {
        if (event === 'playlist') {
          // The server's latest word, whatever pause it asked for before.
          syncNow.poke();
          syncNow.hold(0);
        } else if (event === 'certificate') certificateWord(data).poke();
        else if (!toldOfCommands) {
          // Once: a server that sends many must not fill the log.
          toldOfCommands = true;
          log.warn('command-not-understood');
        }
      },
      missed: syncNow.poke,
      wait: waitFor,
      waitForServer: async (ms, abort) => void (await listenNow.wait(ms, abort)),
      backoff,
      log,
    },
    either,
  );
  const renewing = runRenewal(
    present,
    {
      // The roots first: what is issued now may come from one that was announced a moment ago.
      request: async () => {
        await readRoots();
        return requestRenewal(api, await identity.request());
      },
      store: identity.certificates,
      alone,
      renewed: (renewed) => {
        present = renewed;
        // A connection goes on showing what it was opened with, also once that has ended.
        api.renew();
        pushes?.destroy();
        listenNow.poke();
        facts.note({ certificateUntilMs: renewed.notAfterMs });
      },
      wait: renewNow.wait,
      backoff,
      random: Math.random,
      now: Date.now,
      report: report('renewal'),
      log,
    },
    either,
  );
  const syncing = runSyncLoop(
    {
      sync: async () => {
        isSyncing = true;
        const ports = {
          download: (tag: string | undefined) =>
            heed(syncNow, Math.random, () => downloadPlaylist(api, tag, retryAfter)),
          askAgain: async (abort: AbortSignal) => void (await syncNow.wait(askAgainMs, abort)),
          unanswered: syncNow.poke,
          ...content.syncPorts({ api, foreign: foreign.of, rests }),
        };
        try {
          const synced = await sync(ports, content.known(), either);
          facts.note({ lastAnswerAtMs: Date.now() });
          return synced;
        } catch (thrown) {
          if (asPlayerError(thrown).code === 'SERVER_REFUSED_CERTIFICATE' && hasEnded()) renewNow.poke();
          throw thrown;
        } finally {
          isSyncing = false;
          if (wentMissing) syncNow.poke();
          wentMissing = false;
        }
      },
      keptBytes: content.keptBytes,
      wait: async (ms, abort) => void (await syncNow.wait(ms, abort)),
      backoff,
      random: Math.random,
      now: Date.now,
      // A certificate that has ended is refused as a revoked one is, and is no reason to go dark.
      suspended: async (is) => {
        if (is && hasEnded()) return renewNow.poke();
        await identity.registration.tell({ type: is ? 'suspended' : 'restored' });
      },
      isBack: listenNow.nudge,
      report: report('sync'),
      log,
    },
    either,
  );
  const first = Promise.race([syncing, listening, renewing, rekeying, learning]);
  await Promise.allSettled([first]);
  over.abort();
  unlisten();
  // Closed first: what is under way ends with it.
  await Promise.all([api.close(), foreign.close()]);
  const [changed] = await Promise.allSettled([rekeying, syncing, listening, renewing, learning]);
  for (const source of ['sync', 'renewal'] as const) facts.problem(source, null);
  if (changed.status === 'rejected') return first;
  // Whatever came first: the key in memory is not the screen's any more.
  signal.throwIfAborted();
  return changed.value;
}

/** One client for each origin that serves media; none of them knows the device certificate. */
function foreignClients(settings: Settings) {
  const clients = new Map<string, OriginClient>();
  return {
    of: (origin: string): OriginClient => {
      const known = clients.get(origin);
      if (known !== undefined) {
        // By when they were last used, the longest ago first.
        clients.delete(origin);
        clients.set(origin, known);
        return known;
      }
      const connector = origin.startsWith('https:') ? foreignConnector(settings) : buildConnector({});
      const client = createOriginClient(origin, connector);
      clients.set(origin, client);
      const [oldest] = clients;
      if (clients.size > mostForeignOrigins && oldest !== undefined) {
        clients.delete(oldest[0]);
        void oldest[1].retire();
      }
      return client;
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
      clients.clear();
    },
  };
}

import { readFileSync } from 'node:fs';
import { app, type Session, session as sessions, type WebContents, webContents } from 'electron';
import type { ViewChange } from '../ipc/contract.ts';
import { type Log, limitedLog } from '../log.ts';
import { rewritePlaylist } from '../sanitize/hls.ts';
import type { Settings } from '../settings.ts';
import type { LockdownRules } from '../shell/lockdown.ts';
import type { Page } from '../shell/page.ts';
import {
  hostOf,
  mayNavigate,
  plainUserAgent,
  prepareSession,
  type WebPage,
  wipeSession,
} from '../shell/page-session.ts';
import { openView } from '../shell/page-view.ts';
import { createPageViews, type PageViews } from '../shell/page-views.ts';
import { runDelayOf } from '../shell/run-delay.ts';
import { createSlots } from '../shell/session-slots.ts';
import { requestStream } from '../shell/stream-request.ts';
import { createStreams, type StreamSource, type Streams } from '../shell/streams.ts';
import { createGateway } from './gateway.ts';

/** Web pages in views, and streams: their sessions, their way to the network, what the lockdown lets them do. */
export interface WebPages {
  readonly lockdown: LockdownRules;
  views(ports: {
    page(): Page | null;
    address(itemId: string): WebPage | null;
    /** Web contents of the player's own page. */
    owners(): readonly number[];
    changed(change: ViewChange): void;
  }): PageViews;
  /** @param source the stream of an id; `null` where there is none */
  streams(source: (id: string) => StreamSource | null): Streams;
}

/** Call before `ready`; nothing is opened before the first web page is. */
export function createWebPages(settings: Settings, log: Log): WebPages {
  const quiet = limitedLog(log, 60, 60_000, () => performance.now());
  // Of its own, so that one page's many requests do not silence another's failure.
  const failures = limitedLog(log, 60, 60_000, () => performance.now());
  const pageOf = new WeakMap<Session, WebPage>();
  const gateway = createGateway(settings, quiet);
  const slotFor = createSlots<Session>({
    session: (partition) => sessions.fromPartition(partition),
    wipe: wipeSession,
    isUsed: (session) => webContents.getAllWebContents().some((one) => one.session === session),
  });
  const { allowHttpFor } = settings.network;

  const sessionFor = async (page: WebPage): Promise<Session> => {
    const { proxy } = await gateway.open();
    const session = await slotFor(page.assetId);
    pageOf.set(session, page);
    await prepareSession(session, page, {
      allowHttpFor,
      apiOrigin: settings.server.origin,
      proxy,
      denied: (reason) => quiet.warn('request-denied', { reason, assetId: page.assetId }),
    });
    return session;
  };

  const apiHost = hostOf(new URL(settings.server.origin));
  /** https, or http by name, and never the management server. */
  const mayAsk = (address: string) => {
    if (!URL.canParse(address)) return false;
    const url = new URL(address);
    const { protocol, origin, username, password } = url;
    const allowed = protocol === 'https:' || (protocol === 'http:' && allowHttpFor.includes(origin));
    return allowed && hostOf(url) !== apiHost && username === '' && password === '';
  };
  /** One for all streams: nothing is kept in it. */
  const sessionForStreams = async (): Promise<Session> => {
    const session = sessions.fromPartition('streams', { cache: false });
    session.webRequest.onBeforeRequest(({ url }, callback) => callback({ cancel: !mayAsk(url) }));
    session.setUserAgent(plainUserAgent(session));
    await session.setProxy({ ...(await gateway.open()).proxy });
    return session;
  };

  return {
    lockdown: {
      mayNavigate: (contents: WebContents, url, isMainFrame) => {
        const page = pageOf.get(contents.session);
        if (page === undefined) return false;
        return isMainFrame ? mayNavigate(page, url) : /^(?:https?|about|data|blob):/i.test(url);
      },
      proxyLogin: gateway.login,
    },
    views: ({ page: shell, address, owners, changed }) =>
      createPageViews({
        window: () => shell()?.place() ?? null,
        page: address,
        open: openView,
        owners,
        session: sessionFor,
        changed,
        failed: ({ assetId }, reason) => failures.warn('page-failed', { assetId, reason }),
        audible: settings.sound.volume > 0 && !settings.sound.muted,
        focusPage: () => shell()?.focus(),
        memoryKib: (pid) => app.getAppMetrics().find((one) => one.pid === pid)?.memory.workingSetSize ?? 0,
        waitedMs: runDelayOf,
        freeBytes: availableBytes,
        recycleAfterMs: settings.page.recycleAfterHours * 3_600_000,
      }),
    streams: (source) => {
      let session: Promise<Session> | null = null;
      return createStreams({
        source,
        request: async (request, signal) => {
          session ??= sessionForStreams().catch((thrown: unknown) => {
            session = null;
            throw thrown;
          });
          return requestStream(await session, request, gateway.login, signal);
        },
        rewrite: rewritePlaylist,
        mayAsk,
        log: failures,
      });
    },
  };
}

/** What the kernel could still give (proc(5) MemAvailable); without the figure nothing is kept. */
function availableBytes(): number {
  const [, kib = '0'] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kib) * 1024;
}

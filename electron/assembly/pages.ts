import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { app, type Session, session as sessions, type WebContents } from 'electron';
import type { ViewChange } from '../ipc/contract.ts';
import { type Log, limitedLog } from '../log.ts';
import { proxyOf } from '../mtls/proxy.ts';
import { isPublicAddress } from '../sanitize/public-address.ts';
import type { Settings } from '../settings.ts';
import type { LockdownRules } from '../shell/lockdown.ts';
import type { Page } from '../shell/page.ts';
import { type Gate, type GatePorts, openGate } from '../shell/page-gate.ts';
import { mayNavigate, prepareSession, type WebPage, wipeSession } from '../shell/page-session.ts';
import { createPageViews, type PageViews } from '../shell/page-views.ts';

/** Sessions that are ever made: Electron keeps each until the player ends, so a further asset gets the oldest, wiped. */
const mostSessions = 32;

/** Web pages in views: their sessions, their way to the network, and what the lockdown lets them do. */
export interface WebPages {
  readonly lockdown: LockdownRules;
  views(ports: {
    page(): Page | null;
    address(itemId: string): WebPage | null;
    /** Web contents of the player's own page. */
    owners(): readonly number[];
    changed(change: ViewChange): void;
  }): PageViews;
}

/** Call before `ready`; nothing is opened before the first web page is. */
export function createWebPages(settings: Settings, log: Log): WebPages {
  const quiet = limitedLog(log, 60, 60_000, () => performance.now());
  // Of its own, so that one page's many requests do not silence another's failure.
  const failures = limitedLog(log, 60, 60_000, () => performance.now());
  const pageOf = new WeakMap<Session, WebPage>();
  let gate: Promise<Gate> | null = null;
  let opened: Gate | null = null;
  const gateAtLast = async () => {
    gate ??= openGate(gatePorts(settings, quiet));
    opened = await gate;
    return opened;
  };
  const slots: { readonly session: Session; assetId: string }[] = [];
  const { allowHttpFor } = settings.network;

  const sessionFor = async (page: WebPage): Promise<Session> => {
    const { proxy } = await gateAtLast();
    const at = slots.findIndex(({ assetId }) => assetId === page.assetId);
    const known = at < 0 && slots.length >= mostSessions ? 0 : at;
    const [slot = { session: sessions.fromPartition(`page-${slots.length}`), assetId: page.assetId }] =
      known < 0 ? [] : slots.splice(known, 1);
    if (slot.assetId !== page.assetId) await wipeSession(slot.session);
    slot.assetId = page.assetId;
    // Latest last: the first one is the longest unused.
    slots.push(slot);
    pageOf.set(slot.session, page);
    await prepareSession(slot.session, page, {
      allowHttpFor,
      apiOrigin: settings.server.origin,
      proxy,
      denied: (reason) => quiet.warn('request-denied', { reason, assetId: page.assetId }),
    });
    return slot.session;
  };

  return {
    lockdown: {
      mayNavigate: (contents: WebContents, url, isMainFrame) => {
        const page = pageOf.get(contents.session);
        if (page === undefined) return false;
        return isMainFrame ? mayNavigate(page, url) : /^(?:https?|about|data|blob):/i.test(url);
      },
      proxyLogin: (host, port) => opened?.login(host, port) ?? null,
    },
    views: ({ page: shell, address, owners, changed }) =>
      createPageViews({
        window: () => shell()?.place() ?? null,
        page: address,
        owners,
        session: sessionFor,
        changed,
        failed: ({ assetId }, reason) => failures.warn('page-failed', { assetId, reason }),
        audible: settings.sound.volume > 0 && !settings.sound.muted,
        focusPage: () => shell()?.focus(),
        memoryKib: (pid) => app.getAppMetrics().find((one) => one.pid === pid)?.memory.workingSetSize ?? 0,
        freeBytes: availableBytes,
      }),
  };
}

function gatePorts(settings: Settings, log: GatePorts['log']): GatePorts {
  const api = new URL(settings.server.origin);
  const named = settings.network.allowPrivatePages.map((origin) => new URL(origin));
  const portOf = (url: URL) => Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    rule: (host, port, plain) => {
      if (host === hostOf(api) && port === portOf(api)) return 'refused';
      const isHere = (url: URL) => hostOf(url) === host && portOf(url) === port;
      if (plain && !settings.network.allowHttpFor.some((origin) => isHere(new URL(origin)))) return 'refused';
      return named.some(isHere) ? 'anywhere' : 'public';
    },
    isPublic: isPublicAddress,
    resolve: (host) => lookup(host, { all: true, verbatim: true }),
    upstream: async (host) => {
      const proxy = await proxyOf(settings);
      if (proxy === undefined) return null;
      // Loaded now, not at the start: the first picture comes before the addon.
      const { proxyRoute } = await import('node-tss');
      return proxyRoute({ host, proxy }) ?? null;
    },
    log,
  };
}

/** What the kernel could still give (proc(5) MemAvailable); without the figure nothing is kept. */
function availableBytes(): number {
  const [, kib = '0'] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kib) * 1024;
}

import type { Session, WebContentsView } from 'electron';
import type { ViewChange } from '../ipc/contract.ts';
import type { WebPage } from './page-session.ts';
import type { PageView, ViewPorts } from './page-view.ts';
import { createViewBounds, type Seen } from './view-bounds.ts';

/** Showings that the page may ask for at once; an honest one has two. */
const mostPlays = 6;
/** Pages that are kept, asleep, for their next showing. */
const mostAsleep = 2;
/** Resident memory above which a page is not kept, KiB. */
const keptBelowKib = 384 * 1024;
/** Free memory of the machine below which no page is kept. */
const spareBytes = 512 * 2 ** 20;
/** How long a raised view stands in for the player's own page while that is being restarted. */
const standInMs = 10_000;

export interface ViewsPorts {
  readonly window: Seen;
  /** The web page of an item; `null` where there is none. */
  page(itemId: string): WebPage | null;
  /** A session for this asset alone, its limits set. */
  session(page: WebPage): Promise<Session>;
  /** Opens a view and loads the page; `place` puts the view where it is painted but not seen. */
  open(page: WebPage, session: Session, place: (view: WebContentsView) => void, ports: ViewPorts): PageView;
  /** Those that may still have showings: the page, and for a while its successor. */
  owners(): readonly number[];
  changed(change: ViewChange): void;
  failed(page: WebPage, reason: string): void;
  /** Whether pages that ask for it may be heard. */
  readonly audible: boolean;
  /** Puts the keyboard back to the player's own page. */
  focusPage(): void;
  memoryKib(pid: number): number;
  /** Milliseconds for which a process has waited for a processor in its life. */
  waitedMs(pid: number): number;
  freeBytes(): number;
  /** Age above which a page is not shown another time but loaded by a fresh process. */
  readonly recycleAfterMs: number;
}

/** Every web page that is shown, prepared or kept; the page knows them by `playId`. */
export interface PageViews {
  /** @param owner web contents that ask */
  prepare(playId: string, itemId: string, owner: number): void;
  /** @throws when there is no such showing */
  reveal(playId: string): Promise<void>;
  release(playId: string): void;
  veil(veiled: boolean): void;
  /** Those that are no owners any more have no showings. */
  disown(): void;
  /** The player's own page is gone with all its showings. */
  pageDied(): void;
  /** The player's own page shows something again. */
  pageShows(): void;
}

interface Kept {
  readonly page: WebPage;
  readonly identity: string;
  opened: PageView | null;
  ready: boolean;
  readonly plays: Set<string>;
  usedMs: number;
  /** While it is to take the place of one on the display: called when it is dropped instead. */
  missed: (() => void) | null;
}

export function createPageViews(ports: ViewsPorts): PageViews {
  const kept = new Set<Kept>();
  const plays = new Map<string, Kept>();
  const owned = new Map<string, number>();
  /** Raised showings, the topmost last. */
  let raised: string[] = [];
  let veiled = false;
  let standIn: Kept | null = null;
  let standInTimer: NodeJS.Timeout | undefined;

  const isRaised = (one: Kept) => one === standIn || [...one.plays].some((play) => raised.includes(play));

  const arrange = () => {
    for (const one of kept) if (one.opened !== null) place(one.opened.view, isRaised(one) && !veiled);
    for (const play of raised) {
      const view = plays.get(play)?.opened?.view;
      if (view !== undefined && !veiled) place(view, true);
    }
  };

  const { place, remove } = createViewBounds(ports.window, arrange);

  const drop = (one: Kept) => {
    kept.delete(one);
    one.missed?.();
    for (const play of one.plays) plays.delete(play);
    raised = raised.filter((play) => !one.plays.has(play));
    if (one.opened === null) return;
    remove(one.opened.view);
    one.opened.close();
  };

  const failed = (one: Kept, reason: string) => {
    ports.failed(one.page, reason);
    const told = [...one.plays];
    const wasSeen = isRaised(one) && !veiled;
    drop(one);
    // The player's page asks for the next one at once; until it has asked the stage, empty, would be seen.
    const next = [...kept].find(({ ready, plays: held }) => ready && held.size > 0)?.opened;
    if (wasSeen && raised.length === 0 && next) place(next.view, true);
    for (const playId of told) ports.changed({ playId, state: 'failed', reason });
  };

  const isStale = ({ page: { refreshMs }, opened }: Kept) =>
    opened !== null && performance.now() - opened.loadedAtMs >= Math.min(refreshMs ?? Infinity, ports.recycleAfterMs);

  const trim = () => {
    const asleep = [...kept].filter(({ plays: held }) => held.size === 0).sort((a, b) => b.usedMs - a.usedMs);
    for (const [index, one] of asleep.entries())
      if (index >= mostAsleep || ports.freeBytes() < spareBytes || isStale(one)) drop(one);
  };

  /** @param renews whether it takes the place of one on the display, and so stays awake without a showing */
  const open = async (one: Kept, renews = false) => {
    const session = await ports.session(one.page);
    if (!kept.has(one)) return;
    const opened = ports.open(one.page, session, (view) => place(view, false), {
      memoryKib: ports.memoryKib,
      waitedMs: ports.waitedMs,
      failed: (reason) => failed(one, reason),
    });
    one.opened = opened;
    opened.view.webContents.on('focus', ports.focusPage);
    await opened.ready;
    one.ready = true;
    if (one.plays.size === 0 && !renews) opened.sleep();
    for (const playId of one.plays) ports.changed({ playId, state: 'ready' });
  };

  const again = async (one: Kept, playId: string) => {
    const { opened } = one;
    if (opened === null || !one.ready) return;
    if (!isRaised(one)) {
      opened.wake();
      place(opened.view, false);
    }
    if (await opened.painted()) {
      if (one.plays.has(playId)) ports.changed({ playId, state: 'ready' });
    } else if (kept.has(one)) failed(one, 'not-painted');
  };

  const raise = async (playId: string, one: Kept) => {
    const { opened } = one;
    if (opened === null || !one.ready) throw new Error('the page is not ready');
    raised = [...raised.filter((play) => play !== playId), playId];
    opened.begin(ports.audible);
    if (!veiled) place(opened.view, true);
    await opened.painted();
    leaveStandIn();
    renewInTime(playId, one);
  };

  /**
   * A page that stays longer than its refresh interval is exchanged under the eyes of the beholder, without a gap, also
   * for showings that are to come. Where that fails it is tried again an interval later.
   */
  const renewInTime = (playId: string, old: Kept) => {
    const { refreshMs } = old.page;
    if (refreshMs === null) return;
    const isShown = () => plays.get(playId) === old && raised.includes(playId);
    const renew = () => {
      if (!isShown()) return;
      const missed = () => {
        if (isShown()) renewInTime(playId, old);
      };
      const next = { ...old, opened: null, ready: false, plays: new Set<string>(), usedMs: performance.now(), missed };
      kept.add(next);
      open(next, true)
        .then(() => (kept.has(next) ? exchange(playId, old, next) : undefined))
        .catch(() => {
          if (kept.has(next)) failed(next, 'failed');
        });
    };
    setTimeout(renew, refreshMs).unref();
  };

  const exchange = async (playId: string, old: Kept, next: Kept) => {
    next.missed = null;
    if (plays.get(playId) !== old || !raised.includes(playId)) {
      // A showing that came meanwhile may hold it.
      if (next.plays.size === 0) drop(next);
      return;
    }
    for (const play of old.plays) {
      next.plays.add(play);
      plays.set(play, next);
    }
    const others = [...old.plays].filter((play) => play !== playId);
    old.plays.clear();
    await raise(playId, next);
    drop(old);
    // Whoever waits for a frame of the old one waits no longer.
    for (const play of others) if (plays.get(play) === next) ports.changed({ playId: play, state: 'ready' });
  };

  const leaveStandIn = () => {
    clearTimeout(standInTimer);
    if (standIn !== null) drop(standIn);
    standIn = null;
  };

  const release = (playId: string) => {
    owned.delete(playId);
    const one = plays.get(playId);
    if (one === undefined) return;
    plays.delete(playId);
    one.plays.delete(playId);
    raised = raised.filter((play) => play !== playId);
    if (one.plays.size > 0) return;
    one.usedMs = performance.now();
    if (one.opened === null || isStale(one)) return drop(one);
    // A slow page goes on loading, for the next round.
    if (!one.ready) return trim();
    place(one.opened.view, false);
    one.opened.sleep();
    const pid = one.opened.view.webContents.getOSProcessId();
    if (ports.memoryKib(pid) > keptBelowKib) drop(one);
    trim();
  };

  const disown = () => {
    for (const [play, owner] of owned) {
      if (ports.owners().includes(owner)) continue;
      const one = plays.get(play);
      release(play);
      // Another one may hold the page for later: what that one shows now lies beneath.
      if (one?.opened && kept.has(one) && !isRaised(one)) place(one.opened.view, false);
    }
  };

  return {
    prepare(playId, itemId, owner) {
      disown();
      const page = ports.page(itemId);
      const reason = page === null ? 'no-address' : plays.size >= mostPlays || plays.has(playId) ? 'too-many' : null;
      if (page === null || reason !== null) {
        ports.changed({ playId, state: 'failed', reason: reason ?? 'no-address' });
        return;
      }
      const identity = JSON.stringify(page);
      const found = [...kept].find((one) => one.identity === identity && one !== standIn && !isStale(one));
      const one = found ?? {
        page,
        identity,
        opened: null,
        ready: false,
        plays: new Set<string>(),
        usedMs: 0,
        missed: null,
      };
      kept.add(one);
      one.plays.add(playId);
      plays.set(playId, one);
      owned.set(playId, owner);
      one.usedMs = performance.now();
      if (found !== undefined) void again(one, playId);
      else
        open(one).catch(() => {
          if (kept.has(one)) failed(one, 'failed');
        });
    },
    async reveal(playId) {
      const one = plays.get(playId);
      if (one === undefined) throw new Error('there is no such showing');
      await raise(playId, one);
    },
    release,
    disown,
    veil(now) {
      veiled = now;
      arrange();
    },
    pageDied() {
      leaveStandIn();
      veiled = false;
      const top = raised.at(-1);
      standIn = (top === undefined ? undefined : plays.get(top)) ?? null;
      for (const one of [...kept]) if (one !== standIn) drop(one);
      plays.clear();
      owned.clear();
      standIn?.plays.clear();
      raised = [];
      standInTimer = setTimeout(leaveStandIn, standInMs);
    },
    pageShows: leaveStandIn,
  };
}

import { readFile } from 'node:fs/promises';
import { BrowserWindow, screen, type WebContents, WebContentsView } from 'electron';
import type { Log } from '../log.ts';
import { dueForMs, isOccasion, pssOf, type RecycleBounds } from './recycling.ts';
import { runDelayOf } from './run-delay.ts';
import { startWatch, type Watch, type WatchHappening, watch } from './watchdog.ts';
import { blockKeys, fillDisplay, kioskWindowOptions, stageColour } from './window.ts';

const tickMs = 250;
const weighMs = 60_000;
/** How long a successor may take to show its first item. */
const successionMs = 15_000;
/** How long the page that was replaced stays beneath its successor. */
const overlapMs = 500;
const pageUrl = 'player://app/index.html';

export interface PagePorts {
  readonly preload: string;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  /** The page's process is gone. */
  died(): void;
  /** A page is gone that was replaced, or that was to replace another: what it had asked for is nobody's any more. */
  left(): void;
  /** Too many restarts: leave, and let the supervisor start anew. */
  giveUp(): void;
  readonly bounds: RecycleBounds;
  readonly log: Log;
}

/** The one page: its window, its life, its death and its return. */
export interface Page {
  /** Web contents of the page, and of its successor or predecessor while there is one. */
  contentsIds(): readonly number[];
  send(channel: string, payload: unknown): void;
  /** A sign of life; `frames` counts painted frames since load. */
  beat(from: number, frames: number): void;
  /** An item came onto the display of a page. @returns whether it is the page that is to be seen */
  shown(from: number, isPicture: boolean): boolean;
  /** The window, and the size of what the display shows of it; `null` between two windows. */
  place(): { readonly window: BrowserWindow; readonly width: number; readonly height: number } | null;
  /** Take the keyboard back from a view. */
  focus(): void;
}

/** One that has gone by itself in between is no error: its end is told of, or missed, like any other. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

/** Open the kiosk window and keep a living page in it. Call after `ready`. */
export function openPage(ports: PagePorts): Page {
  const { log } = ports;
  let state: Watch = startWatch(ports.monotonicMs());
  let window = createWindow();
  /** Holds the page once it was replaced: then the window's own page is dead, and this one lies over it. */
  let view: WebContentsView | null = null;
  let successor: WebContentsView | null = null;
  /** Beats of the successor since its first item; `null`: it shows none yet. */
  let beatsSinceShown: number | null = null;
  let leaving: WebContents | null = null;
  let tickedMs = ports.monotonicMs();
  let waited = { pid: 0, ms: 0 };
  let bornMs = ports.monotonicMs();
  let megabytes = 0;
  let overSinceMs = bornMs;

  function happen(happening: WatchHappening): void {
    const { next, effect, because } = watch(state, happening, ports.monotonicMs());
    state = next;
    if (effect === null) return;
    log.warn('page-recovery', { outcome: effect, reason: because ?? happening.type });
    if (effect === 'kill') kill();
    else if (effect === 'reload') load();
    else if (effect === 'recreate') recreate();
    else ports.giveUp();
  }

  const contents = () => view?.webContents ?? window.webContents;

  function kill(): void {
    const pid = contents().getOSProcessId();
    if (pid > 0) endProcess(pid);
    else happen({ type: 'gone' });
  }

  function load(): void {
    contents()
      .loadURL(pageUrl)
      .catch((thrown: unknown) => log.failure('page-load-failed', thrown));
  }

  function recreate(): void {
    dismissSuccessor();
    // Views outlive their window unless they are closed.
    view?.webContents.close();
    view = null;
    window = createWindow();
    const made = window;
    // The last picture of the old windows stays until the new one has painted.
    made.once('ready-to-show', () => {
      for (const other of BrowserWindow.getAllWindows()) if (other !== made) other.destroy();
    });
  }

  function createWindow(): BrowserWindow {
    const made = new BrowserWindow(kioskWindowOptions(screen.getPrimaryDisplay(), ports.preload));
    fillDisplay(made, screen);
    made.on('close', (event) => event.preventDefault());
    made.on('resize', () => {
      if (made === window) for (const one of [view, successor]) one?.setBounds(placeOf(one === successor));
    });
    open(made.webContents);
    return made;
  }

  /**
   * Where a view lies: over the window's own page, or below it but for one row: Chromium does not paint a view of which
   * nothing is to be seen. Where no window manager runs that row is below the display, too.
   */
  function placeOf(aside: boolean) {
    const { width, height } = window.getContentBounds();
    return { x: 0, y: aside ? height - 1 : 0, width, height };
  }

  function open(page: WebContents): void {
    blockKeys(page);
    const isCurrent = () => !window.isDestroyed() && page === contents();
    page.on('render-process-gone', (_event, { reason }) => {
      if (page === leaving) return part(page);
      log.warn('page-gone', { reason });
      const current = isCurrent();
      // Whatever goes wrong in between, the page that has played is the one that is brought back.
      dismissSuccessor();
      if (!current) return;
      ports.died();
      happen({ type: 'gone' });
    });
    page.on('did-fail-load', (_event, errorCode, _text, _url, isMainFrame) => {
      // -3 is an aborted load: a newer one has taken its place.
      if (isMainFrame && errorCode !== -3 && isCurrent()) happen({ type: 'load-failed' });
    });
    page.loadURL(pageUrl).catch((thrown: unknown) => log.failure('page-load-failed', thrown));
  }

  function dismissSuccessor(): void {
    if (successor === null) return;
    if (!window.isDestroyed()) window.contentView.removeChildView(successor);
    successor.webContents.close();
    successor = null;
    bornMs = ports.monotonicMs();
    ports.left();
  }

  /** The window's own page stays, crashed, and is never destroyed. */
  function part(old: WebContents): void {
    if (old !== leaving) return;
    leaving = null;
    ports.left();
  }

  function occasion(isPicture: boolean): void {
    const nowMs = ports.monotonicMs();
    const due = dueForMs({ ageMs: nowMs - bornMs, megabytes }, nowMs - overSinceMs, ports.bounds);
    if (successor !== null || !isOccasion(due, isPicture)) return;
    log.info('page-recycling', { bytes: Math.round(megabytes * 2 ** 20) });
    const made = new WebContentsView({
      webPreferences: kioskWindowOptions(screen.getPrimaryDisplay(), ports.preload).webPreferences ?? {},
    });
    successor = made;
    beatsSinceShown = null;
    made.setBackgroundColor(stageColour);
    // Beneath the views of web pages.
    window.contentView.addChildView(made, 0);
    made.setBounds(placeOf(true));
    open(made.webContents);
    setTimeout(() => {
      if (successor !== made) return;
      log.warn('page-recycling-failed', { reason: 'deadline' });
      dismissSuccessor();
    }, successionMs);
  }

  /** The successor shows, beside the display, what the page shows: it takes the page's place. */
  function succeed(made: WebContentsView): void {
    const [oldView, old] = [view, contents()];
    view = made;
    successor = null;
    leaving = old;
    state = startWatch(ports.monotonicMs());
    bornMs = ports.monotonicMs();
    megabytes = 0;
    made.setBounds(placeOf(false));
    made.webContents.focus();
    old.once('destroyed', () => part(old));
    const home = window;
    // Not before the new one has painted over it; by then the window may have been made anew, or the page have died.
    setTimeout(() => {
      if (!old.isDestroyed() && oldView === null && !old.isCrashed()) old.forcefullyCrashRenderer();
      if (!old.isDestroyed() && oldView !== null) {
        if (!home.isDestroyed()) home.contentView.removeChildView(oldView);
        old.close();
      }
      log.info('page-recycled');
    }, overlapMs);
  }

  async function weigh(): Promise<void> {
    const pid = window.isDestroyed() ? 0 : contents().getOSProcessId();
    megabytes = pid === 0 ? 0 : pssOf(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => ''));
    if (megabytes <= ports.bounds.recycleAboveMegabytes) overSinceMs = ports.monotonicMs();
  }

  /** Milliseconds since the last call in which the page was ready to run and no processor was free for it. */
  function pageWaitedMs(): number {
    const pid = window.isDestroyed() ? 0 : contents().getOSProcessId();
    const waitedMs = pid === 0 ? 0 : runDelayOf(pid);
    const before = waited;
    waited = { pid, ms: waitedMs };
    return pid === before.pid ? Math.max(0, waitedMs - before.ms) : 0;
  }

  setInterval(() => {
    const nowMs = ports.monotonicMs();
    // A machine that does not let this process or the page run is to blame for the silence, not the page.
    const lateMs = Math.max(0, nowMs - tickedMs - 2 * tickMs, pageWaitedMs());
    tickedMs = nowMs;
    happen({ type: 'ticked', lateMs });
  }, tickMs);
  setInterval(() => void weigh(), weighMs);
  const living = () =>
    window.isDestroyed()
      ? []
      : [contents(), successor?.webContents, leaving].filter((one) => !!one && !one.isDestroyed());
  const isCurrent = (from: number) => !window.isDestroyed() && from === contents().id;
  return {
    contentsIds: () => (living() as WebContents[]).map(({ id }) => id),
    send: (channel, payload) => {
      for (const one of living() as WebContents[]) if (!one.isCrashed()) one.send(channel, payload);
    },
    beat: (from, frames) => {
      if (isCurrent(from)) happen({ type: 'beaten', frames });
      else if (successor !== null && from === successor.webContents.id && beatsSinceShown !== null) {
        beatsSinceShown += 1;
        // Frames were painted since: its picture is not only decided but there.
        if (beatsSinceShown === 2) succeed(successor);
      }
    },
    shown: (from, isPicture) => {
      if (successor !== null && from === successor.webContents.id) beatsSinceShown = 0;
      else if (isCurrent(from)) occasion(isPicture);
      return isCurrent(from);
    },
    place: () => {
      if (window.isDestroyed()) return null;
      const { width, height } = window.getContentBounds();
      return { window, width, height: Math.min(height, screen.getPrimaryDisplay().bounds.height) };
    },
    focus: () => {
      // Within the view's own event the view would keep it.
      setImmediate(() => {
        if (!window.isDestroyed()) contents().focus();
      });
    },
  };
}

import { readFile } from 'node:fs/promises';
import { BrowserWindow, screen } from 'electron';
import type { Log } from '../log.ts';
import { dueForMs, isOccasion, pssOf, type RecycleBounds } from './recycling.ts';
import { startWatch, type Watch, type WatchHappening, watch } from './watchdog.ts';
import { blockKeys, fillDisplay, kioskWindowOptions } from './window.ts';

const tickMs = 250;
const weighMs = 60_000;
/** How long a successor may take to show its first item. */
const successionMs = 15_000;
const pageUrl = 'player://app/index.html';

export interface PagePorts {
  readonly preload: string;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  /** The page's process is gone. */
  died(): void;
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
}

/** Open the kiosk window and keep a living page in it. Call after `ready`. */
export function openPage(ports: PagePorts): Page {
  const { log } = ports;
  let state: Watch = startWatch(ports.monotonicMs());
  let window = createWindow(true);
  let successor: BrowserWindow | null = null;
  let leaving: BrowserWindow | null = null;
  let bornMs = ports.monotonicMs();
  let megabytes = 0;
  let overSinceMs = bornMs;

  function happen(happening: WatchHappening): void {
    const { next, effect } = watch(state, happening, ports.monotonicMs());
    state = next;
    if (effect === null) return;
    log.warn('page-recovery', { outcome: effect, reason: happening.type });
    if (effect === 'kill') kill();
    else if (effect === 'reload') load();
    else if (effect === 'recreate') recreate();
    else ports.giveUp();
  }

  function kill(): void {
    const pid = window.webContents.getOSProcessId();
    if (pid > 0) process.kill(pid, 'SIGKILL');
    else happen({ type: 'gone' });
  }

  function load(): void {
    window.loadURL(pageUrl).catch((thrown: unknown) => log.failure('page-load-failed', thrown));
  }

  function recreate(): void {
    dismissSuccessor();
    window = createWindow(true);
    const made = window;
    // The last picture of the old windows stays until the new one has painted.
    made.once('ready-to-show', () => {
      for (const other of BrowserWindow.getAllWindows()) if (other !== made) other.destroy();
    });
  }

  function createWindow(show: boolean): BrowserWindow {
    const made = new BrowserWindow({ ...kioskWindowOptions(screen.getPrimaryDisplay(), ports.preload), show });
    fillDisplay(made, screen);
    blockKeys(made);
    const isCurrent = () => made === window && !made.isDestroyed();
    made.webContents.on('render-process-gone', (_event, { reason }) => {
      log.warn('page-gone', { reason });
      if (made === successor) return dismissSuccessor();
      ports.died();
      // Whatever goes wrong in between, the page that has played is the one that is brought back.
      dismissSuccessor();
      if (isCurrent()) happen({ type: 'gone' });
    });
    made.webContents.on('did-fail-load', (_event, errorCode, _text, _url, isMainFrame) => {
      // -3 is an aborted load: a newer one has taken its place.
      if (isMainFrame && errorCode !== -3 && isCurrent()) happen({ type: 'load-failed' });
    });
    made.on('close', (event) => event.preventDefault());
    made.loadURL(pageUrl).catch((thrown: unknown) => log.failure('page-load-failed', thrown));
    return made;
  }

  function dismissSuccessor(): void {
    successor?.destroy();
    successor = null;
    bornMs = ports.monotonicMs();
  }

  function occasion(isPicture: boolean): void {
    const nowMs = ports.monotonicMs();
    const due = dueForMs({ ageMs: nowMs - bornMs, megabytes }, nowMs - overSinceMs, ports.bounds);
    if (successor !== null || !isOccasion(due, isPicture)) return;
    log.info('page-recycling', { bytes: Math.round(megabytes * 2 ** 20) });
    const made = createWindow(false);
    successor = made;
    setTimeout(() => {
      if (successor !== made) return;
      log.warn('page-recycling-failed', { reason: 'deadline' });
      dismissSuccessor();
    }, successionMs);
  }

  /** The successor shows, unseen, what the page shows: it takes the page's place. */
  function succeed(made: BrowserWindow): void {
    const old = window;
    window = made;
    successor = null;
    state = startWatch(ports.monotonicMs());
    bornMs = ports.monotonicMs();
    megabytes = 0;
    made.showInactive();
    made.moveTop();
    // Not before it has painted over the old one.
    leaving = old;
    setTimeout(() => old.destroy(), 1_000);
    log.info('page-recycled');
  }

  async function weigh(): Promise<void> {
    const pid = window.isDestroyed() ? 0 : window.webContents.getOSProcessId();
    megabytes = pid === 0 ? 0 : pssOf(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => ''));
    if (megabytes <= ports.bounds.recycleAboveMegabytes) overSinceMs = ports.monotonicMs();
  }

  setInterval(() => happen({ type: 'ticked' }), tickMs);
  setInterval(() => void weigh(), weighMs);
  const living = () =>
    [window, successor, leaving].filter((one) => one !== null && !one.isDestroyed()) as BrowserWindow[];
  return {
    contentsIds: () => living().map((one) => one.webContents.id),
    send: (channel, payload) => {
      for (const one of living()) if (!one.webContents.isCrashed()) one.webContents.send(channel, payload);
    },
    beat: (from, frames) => {
      if (!window.isDestroyed() && from === window.webContents.id) happen({ type: 'beaten', frames });
    },
    shown: (from, isPicture) => {
      if (successor !== null && from === successor.webContents.id) succeed(successor);
      else if (!window.isDestroyed() && from === window.webContents.id) occasion(isPicture);
      return from === window.webContents.id;
    },
  };
}

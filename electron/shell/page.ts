import { BrowserWindow, screen } from 'electron';
import type { Log } from '../log.ts';
import { startWatch, type Watch, type WatchHappening, watch } from './watchdog.ts';
import { blockKeys, fillDisplay, kioskWindowOptions } from './window.ts';

const tickMs = 500;
const pageUrl = 'player://app/index.html';

export interface PagePorts {
  readonly preload: string;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  /** The page's process is gone. */
  died(): void;
  /** Too many restarts: leave, and let the supervisor start anew. */
  giveUp(): void;
  readonly log: Log;
}

/** The one page: its window, its life, its death and its return. */
export interface Page {
  /** The window's web contents id, or `null` between two windows. */
  contentsId(): number | null;
  send(channel: string, payload: unknown): void;
  /** A sign of life; `frames` counts painted frames since load. */
  beat(frames: number): void;
}

/** Open the kiosk window and keep a living page in it. Call after `ready`. */
export function openPage(ports: PagePorts): Page {
  const { log } = ports;
  let state: Watch = startWatch(ports.monotonicMs());
  let window = createWindow();

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
    blockKeys(made);
    const isCurrent = () => made === window && !made.isDestroyed();
    made.webContents.on('render-process-gone', (_event, { reason }) => {
      log.warn('page-gone', { reason });
      ports.died();
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

  setInterval(() => happen({ type: 'ticked' }), tickMs);
  return {
    contentsId: () => (window.isDestroyed() ? null : window.webContents.id),
    send: (channel, payload) => {
      if (!window.isDestroyed() && !window.webContents.isCrashed()) window.webContents.send(channel, payload);
    },
    beat: (frames) => happen({ type: 'beaten', frames }),
  };
}

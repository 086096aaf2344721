import type { BrowserWindow, BrowserWindowConstructorOptions, Display, Rectangle, Screen, WebContents } from 'electron';
import { lockedPreferences } from './locked-preferences.ts';

/** Colour of the stage before the first frame: the page's own background, never white. */
export const stageColour = '#0a0d14';

/**
 * Options of the kiosk window: one literal, built from nothing that comes from outside.
 * @param preload absolute path of the bundled preload
 */
export function kioskWindowOptions(display: Display, preload: string): BrowserWindowConstructorOptions {
  const { x, y, width, height } = display.bounds;
  return {
    x,
    y,
    width,
    height,
    frame: false,
    kiosk: true,
    fullscreenable: true,
    resizable: true,
    autoHideMenuBar: true,
    roundedCorners: false,
    backgroundColor: stageColour,
    title: 'Signet Player',
    webPreferences: { preload, ...lockedPreferences },
  };
}

/** How often a scaled display's window is asked for a row more: a window manager may never give it. */
const mostDoubts = 20;
const mostExtraRows = 2;

/**
 * Keep the window on the whole of the primary display: with a window manager by its
 * fullscreen state, without one (bare X, where kiosk mode has no effect) by plain bounds.
 */
export function fillDisplay(window: BrowserWindow, screen: Screen): void {
  let doubts = 0;
  let inDoubt: NodeJS.Timeout | undefined;
  const fill = (calmly = false) => {
    if (window.isDestroyed()) return;
    const { bounds, scaleFactor } = screen.getPrimaryDisplay();
    const now = window.getBounds();
    if (covers(now, bounds)) {
      // On a scaled display a window of its size may lack a pixel all the same: it is asked for more, though a window
      // manager that holds it fullscreen does not listen.
      if (scaleFactor === 1 || now.height > bounds.height || doubts >= mostDoubts) return;
      clearTimeout(inDoubt);
      // Not while the display still makes up its mind.
      inDoubt = setTimeout(() => fill(true), 300);
      if (!calmly) return;
      doubts += 1;
    }
    // Chromium makes an unmanaged window of exactly the display's size one pixel smaller each way,
    // so it is asked for one row more; the page keeps to the display's own size.
    window.setBounds({ ...bounds, height: bounds.height + 1 });
  };
  const later = () => setImmediate(() => fill());
  screen.on('display-metrics-changed', later);
  screen.on('display-added', later);
  screen.on('display-removed', later);
  window.on('resize', later);
  window.on('move', later);
  window.on('show', later);
  // A window that was of the display's size from the beginning tells of no change.
  later();
  window.once('closed', () => {
    screen.off('display-metrics-changed', later);
    screen.off('display-added', later);
    screen.off('display-removed', later);
  });
}

/** Whether a window hides the whole display and nothing but a row more, or two where rows are scaled. */
export function covers(window: Rectangle, display: Rectangle): boolean {
  const extraRows = window.height - display.height;
  const samePlace = window.x === display.x && window.y === display.y && window.width === display.width;
  return samePlace && extraRows >= 0 && extraRows <= mostExtraRows;
}

/** Keys that would lead out of the picture: reload, close, DevTools, zoom, print, find, fullscreen, address bars. */
export function blockKeys(contents: WebContents): void {
  contents.on('before-input-event', (event, input) => {
    if (input.control || input.alt || input.meta || /^(F\d+|Escape|BrowserBack|BrowserForward)$/.test(input.key))
      event.preventDefault();
  });
}

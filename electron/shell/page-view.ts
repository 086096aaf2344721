import { type Session, type WebContents, WebContentsView } from 'electron';
import { lockedPreferences } from './locked-preferences.ts';
import { mayNavigate, type WebPage } from './page-session.ts';
import { answersWithin, late, within } from './silence.ts';

const loadDeadlineMs = 15_000;
/** A page whose scripts never stop loading is shown once this time has passed since its document was there. */
const stillLoadingMs = 4_000;
const paintDeadlineMs = 3_000;
/** A page that hangs is found within the sum of both. */
const lookEveryMs = 1_000;
const answerWithinMs = 3_000;
/** Resident memory above which a page's process is ended, KiB. */
const mostMemoryKib = 1_536 * 1024;

/** A world of our own beside the page's: the page sees nothing of it. */
const isolatedWorld = 1_001;

/** Nothing of a page reacts to a hand, and no cursor or selection is seen. */
const quietStyle = `*, *::before, *::after {
  cursor: none !important;
  pointer-events: none !important;
  user-select: none !important;
}`;

export interface ViewPorts {
  /** KiB of resident memory of a process. */
  memoryKib(pid: number): number;
  /** Milliseconds for which a process has waited for a processor in its life. */
  waitedMs(pid: number): number;
  /** Called once, at whatever makes the page unfit to be shown. */
  failed(reason: string): void;
}

/** A web page in a view of its own; one load, one life. */
export interface PageView {
  readonly view: WebContentsView;
  /** Monotonic milliseconds at which its content was asked for. */
  readonly loadedAtMs: number;
  /** Resolves once the page's document is there and a frame of it was painted; never when `failed` was called. */
  readonly ready: Promise<void>;
  /** Resolves when a frame was painted after this call, or after three seconds. */
  painted(): Promise<boolean>;
  /** Begin to show: position and movement. */
  begin(audible: boolean): void;
  /** Out of sight for a while, keeping its state at little cost. */
  sleep(): void;
  wake(): void;
  close(): void;
}

/** Chromium's words for why a load failed (net/base/net_error_list.h) as words of ours. */
export function loadFailure(errorCode: number): string {
  if (errorCode <= -200 && errorCode > -300) return 'certificate';
  if (errorCode === -105 || errorCode === -137) return 'name-unresolved';
  if (errorCode === -20 || errorCode === -27) return 'address-refused';
  if (errorCode === -111) return 'address-refused-or-unreachable';
  if (errorCode === -7 || errorCode === -118) return 'timeout';
  if (errorCode === -310) return 'too-many-redirects';
  // An answer that is no document, or a navigation that was not allowed.
  if (errorCode === -3 || errorCode === -2) return 'not-a-page';
  return 'unreachable';
}

/** One literal, built from nothing that comes from outside; no preload. */
function createView(session: Session): WebContentsView {
  return new WebContentsView({
    webPreferences: { session, ...lockedPreferences },
  });
}

/** Opens a view and loads the page; `place` puts the view where it is painted but not seen. */
export function openView(page: WebPage, session: Session, place: (view: WebContentsView) => void, ports: ViewPorts) {
  const view = createView(session);
  const contents = view.webContents;
  let over = false;
  let committed = false;
  let stopWatching = () => {};
  const timers: NodeJS.Timeout[] = [];
  const end = () => {
    over = true;
    stopWatching();
    for (const timer of timers) clearTimeout(timer);
  };
  const fail = (reason: string) => {
    if (over) return;
    end();
    ports.failed(reason);
  };
  const later = (ms: number, act: () => void) => void timers.push(setTimeout(act, ms));

  contents.setAudioMuted(true);
  contents.on('before-input-event', (event) => event.preventDefault());
  contents.on('did-navigate', (_event, url, status) => {
    if (!mayNavigate(page, url)) return fail('navigation');
    if (status >= 400) return fail('http-status');
    committed = true;
    contents.setZoomFactor(page.zoom);
    void quieten(contents);
  });
  contents.on('did-fail-load', (_event, errorCode, _text, _url, isMainFrame) => {
    // -3 is also what the page's own next navigation makes of a load under way.
    if (isMainFrame && !(errorCode === -3 && committed)) fail(loadFailure(errorCode));
  });
  contents.on('render-process-gone', () => fail('crashed'));

  place(view);
  const loaded = new Promise<void>((resolve) => {
    contents.once('did-finish-load', () => resolve());
    contents.once('dom-ready', () => later(stillLoadingMs, resolve));
  });
  later(loadDeadlineMs, () => fail('load-deadline'));
  contents.loadURL(page.url).catch(({ errno }: { readonly errno?: number }) => {
    if (!committed) fail(loadFailure(errno ?? 0));
  });
  const painted = () => framePainted(contents);
  const ready = (async () => {
    await loaded;
    if (over || !committed) return never();
    if (!(await isQuiet(contents))) fail('not-quiet');
    if (over) return never();
    await ignoreHands(contents).catch(() => fail('not-quiet'));
    if (over) return never();
    contents.debugger.on('detach', () => fail('not-quiet'));
    await run(contents, `scrollTo(0, ${page.scrollTop})`);
    if (!(await painted())) fail('not-painted');
    if (over) return never();
    for (const timer of timers.splice(0)) clearTimeout(timer);
    stopWatching = watchOver(contents, ports, fail);
  })();

  return {
    view,
    loadedAtMs: performance.now(),
    ready,
    painted,
    begin(audible) {
      contents.setAudioMuted(!(audible && page.sound));
      void run(contents, beginning(page));
    },
    sleep() {
      contents.setAudioMuted(true);
      view.setVisible(false);
      contents.setBackgroundThrottling(true);
    },
    wake() {
      contents.setBackgroundThrottling(false);
      view.setVisible(true);
    },
    close() {
      end();
      if (!contents.isDestroyed()) contents.close();
    },
  } satisfies PageView;
}

const never = () => new Promise<never>(() => {});

/** Runs in the isolated world; a page that is gone or hangs is found out elsewhere. */
async function run(contents: WebContents, code: string): Promise<unknown> {
  if (contents.isDestroyed()) return undefined;
  return contents.executeJavaScriptInIsolatedWorld(isolatedWorld, [{ code }]).catch(() => undefined);
}

/** `dom-ready` would be the event, but a page that navigates while it is read never has one. */
function quieten(contents: WebContents): Promise<unknown> {
  return contents.insertCSS(quietStyle, { cssOrigin: 'user' }).catch(() => undefined);
}

/** Whether the style holds: a style given to a document that was just exchanged for another is lost. */
async function isQuiet(contents: WebContents): Promise<boolean> {
  const look = () => run(contents, "getComputedStyle(document.documentElement).cursor === 'none'");
  if ((await look()) === true) return true;
  if (contents.isDestroyed()) return false;
  await within(paintDeadlineMs, quieten(contents));
  return (await within(paintDeadlineMs, look())) === true;
}

/**
 * No mouse, finger or wheel reaches the page or a frame of it any more. A style that takes them from its elements is not
 * enough: a touch anywhere is a gesture to Chromium, upon which the page may open the system's file dialog over the display.
 * Only now, before it is in sight: while the debugger is attached a page with frames that are refused does not end loading.
 * Chromium asks for the style's cursor when the pointer moves, and a page that hears of no move would keep an arrow: it is
 * told of one first.
 */
async function ignoreHands(contents: WebContents): Promise<void> {
  const hidden = new Promise((resolve) => contents.once('cursor-changed', resolve));
  contents.sendInputEvent({ type: 'mouseMove', x: 1, y: 1 });
  await within(paintDeadlineMs, hidden);
  if (!contents.debugger.isAttached()) contents.debugger.attach();
  await contents.debugger.sendCommand('Input.setIgnoreInputEvents', { ignore: true });
}

function beginning({ scrollTop, scrollSpeed }: WebPage): string {
  if (scrollSpeed === 0) return `scrollTo(0, ${scrollTop})`;
  return `scrollTo(0, ${scrollTop});
    cancelAnimationFrame(globalThis.scrolling);
    { const begun = performance.now();
      (function move() {
        scrollTo(0, ${scrollTop} + (performance.now() - begun) / 1000 * ${scrollSpeed});
        globalThis.scrolling = requestAnimationFrame(move);
      })(); }`;
}

/**
 * Proof of a fresh frame: two animation frames of the page, then a copy of what the compositor holds of it.
 * @returns whether there was one in time
 */
async function framePainted(contents: WebContents): Promise<boolean> {
  const frames = run(
    contents,
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))',
  );
  if ((await within(paintDeadlineMs, frames)) !== 1) return false;
  if (contents.isDestroyed()) return false;
  const picture = await within(
    paintDeadlineMs,
    contents.capturePage({ x: 0, y: 0, width: 8, height: 8 }).catch(() => null),
  );
  return picture !== late && picture !== null && !picture.isEmpty();
}

/** `unresponsive` never fires for a page that nobody touches: it is asked, and its memory looked at. */
function watchOver(contents: WebContents, ports: ViewPorts, fail: (reason: string) => void): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout;
  const look = async () => {
    if (contents.isDestroyed()) return;
    const pid = contents.getOSProcessId();
    if (ports.memoryKib(pid) > mostMemoryKib) return fail('memory');
    const answered = await answersWithin(answerWithinMs, run(contents, '1'), () => ports.waitedMs(pid));
    if (stopped) return;
    // Another process than the one that was asked is another page of it, which is asked next time.
    if (!answered && contents.getOSProcessId() === pid) return fail('hung');
    timer = setTimeout(look, lookEveryMs);
  };
  timer = setTimeout(look, lookEveryMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

import type { App, Session, WebContents } from 'electron';
import { type Log, limitedLog } from '../log.ts';

/** What is let through all the same, for web pages in views. */
export interface LockdownRules {
  mayNavigate(contents: WebContents, url: string, isMainFrame: boolean): boolean;
  /** What a proxy of our own is told; `null` for every other one. */
  proxyLogin(host: string, port: number): { readonly username: string; readonly password: string } | null;
}

const nothing: LockdownRules = { mayNavigate: () => false, proxyLogin: () => null };

/**
 * Deny by default, on every session and every page that will ever exist: permissions,
 * network, navigation, windows, webviews, downloads, certificates, logins.
 * Call before `ready`.
 */
export function lockDown(app: App, allLog: Pick<Log, 'warn'>, rules = nothing): void {
  // What is denied a hostile page asks for again and again.
  const log = limitedLog(allLog, 60, 60_000, () => performance.now());
  // The page's window is made anew after a crash: between two windows there is none.
  app.on('window-all-closed', () => undefined);
  app.on('session-created', (session) => lockSession(session, log));
  app.on('web-contents-created', (_event, contents) => lockContents(contents, log, rules));
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault();
    callback(false);
  });
  app.on('select-client-certificate', (event, _contents, _url, _list, callback) => {
    event.preventDefault();
    // Called with nothing: an unhandled event would offer the first certificate of the platform's store.
    (callback as () => void)();
  });
  app.on('login', (event, _contents, _details, { isProxy, host, port }, callback) => {
    event.preventDefault();
    const answer = isProxy ? rules.proxyLogin(host, port) : null;
    // Called with nothing the request fails; not called at all it would wait for ever.
    if (answer === null) callback();
    else callback(answer.username, answer.password);
  });
}

/** Only the player's own scheme; DevTools and blobs are not needed by the page. */
export function isAllowedRequest(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'player:';
}

function lockSession(session: Session, log: Pick<Log, 'warn'>): void {
  session.setPermissionRequestHandler((_contents, permission, callback) => {
    log.warn('permission-denied', { reason: permission });
    callback(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, callback) => callback({}));
  session.setSpellCheckerEnabled(false);
  session.webRequest.onBeforeRequest((details, callback) => {
    const allowed = isAllowedRequest(details.url);
    if (!allowed) log.warn('request-denied', { reason: details.resourceType });
    callback({ cancel: !allowed });
  });
  session.on('will-download', (event, item) => {
    event.preventDefault();
    item.cancel();
  });
}

/** An event of a navigation; those that name no address are never let through. */
interface Leaving {
  readonly url?: string;
  readonly isMainFrame?: boolean;
  preventDefault(): void;
}

function lockContents(contents: WebContents, log: Pick<Log, 'warn'>, rules: LockdownRules): void {
  const deny = (what: string) => (event: Leaving) => {
    if (event.url !== undefined && rules.mayNavigate(contents, event.url, event.isMainFrame ?? true)) return;
    log.warn('page-denied', { reason: what });
    event.preventDefault();
  };
  contents.on('will-navigate', deny('navigate'));
  contents.on('will-frame-navigate', deny('frame-navigate'));
  contents.on('will-redirect', deny('redirect'));
  contents.on('will-attach-webview', deny('webview'));
  // Prevented here means: unload all the same, no "leave page?" dialog.
  contents.on('will-prevent-unload', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
}

import type { App, Session, WebContents } from 'electron';
import type { Log } from '../log.ts';

/**
 * Deny by default, on every session and every page that will ever exist: permissions,
 * network, navigation, windows, webviews, downloads, certificates, logins.
 * Call before `ready`.
 */
export function lockDown(app: App, log: Log): void {
  app.on('session-created', (session) => lockSession(session, log));
  app.on('web-contents-created', (_event, contents) => lockContents(contents, log));
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault();
    callback(false);
  });
  app.on('select-client-certificate', (event, _contents, _url, _list, callback) => {
    event.preventDefault();
    // Called with nothing: an unhandled event would offer the first certificate of the platform's store.
    (callback as () => void)();
  });
  app.on('login', (event) => event.preventDefault());
}

/** Only the player's own scheme; DevTools and blobs are not needed by the page. */
export function isAllowedRequest(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'player:';
}

function lockSession(session: Session, log: Log): void {
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

function lockContents(contents: WebContents, log: Log): void {
  const deny = (what: string) => (event: { preventDefault(): void }) => {
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

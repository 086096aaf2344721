import type { Session } from 'electron';

/** What a web page is and what it may do beyond showing itself. */
export interface WebPage {
  /** Names the asset: views and sessions of one asset are shared by its items. */
  readonly assetId: string;
  readonly url: string;
  /** Request headers for exactly the origin of `url`, and only where that origin itself asks. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Origins beyond its own that it may navigate to. */
  readonly allowedOrigins: readonly string[];
  /** Milliseconds after which it is loaded anew; `null`: never. */
  readonly refreshMs: number | null;
  /** 0.25 … 5. */
  readonly zoom: number;
  /** CSS pixels from the top at which it is shown. */
  readonly scrollTop: number;
  /** CSS pixels a second by which it moves on while it is shown. */
  readonly scrollSpeed: number;
  /** Whether it may be heard. */
  readonly sound: boolean;
}

export interface SessionRules {
  /** Plain http origins that the settings allow. */
  readonly allowHttpFor: readonly string[];
  /** The management server: a page has no business there. */
  readonly apiOrigin: string;
  /** For `session.setProxy`. */
  readonly proxy: { readonly proxyRules: string; readonly proxyBypassRules: string };
  denied(reason: string): void;
}

/** The parts of a request that a decision needs. */
interface Details {
  readonly url: string;
  readonly resourceType: string;
}

/** Host and port of an address. With the dot of the root behind it a name is the same name. */
export function hostOf({ host }: URL): string {
  return host.replace(/\.+(?=:\d+$|$)/, '');
}

/** Whether the top frame may be at this address. */
export function mayNavigate(page: WebPage, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { origin } = new URL(url);
  return origin !== 'null' && (origin === new URL(page.url).origin || page.allowedOrigins.includes(origin));
}

/** Whether a page may ask for this at all; where a name leads is judged by the gate. */
export function mayRequest(page: WebPage, { url, resourceType }: Details, rules: SessionRules): boolean {
  if (!URL.canParse(url)) return false;
  const asked = new URL(url);
  const { protocol, host, origin } = asked;
  if (resourceType === 'mainFrame' && !mayNavigate(page, url)) return false;
  switch (protocol) {
    case 'https:':
    case 'wss:':
      return hostOf(asked) !== hostOf(new URL(rules.apiOrigin));
    case 'http:':
    case 'ws:':
      return (
        rules.allowHttpFor.includes(origin.replace(/^ws:/, 'http:')) || rules.allowHttpFor.includes(`http://${host}`)
      );
    case 'data:':
    case 'blob:':
      return resourceType !== 'mainFrame';
    default:
      return false;
  }
}

/**
 * The headers of one request: the asset's own are added where its origin asks its origin, and taken out again where a
 * redirect has carried them elsewhere. A header of the same name that the page itself has set is its own affair.
 */
export function headersFor(
  page: WebPage,
  url: string,
  sameOriginAsker: boolean,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers = { ...before };
  const own = URL.canParse(url) && new URL(url).origin === new URL(page.url).origin && sameOriginAsker;
  for (const [name, value] of Object.entries(page.headers)) {
    const present = Object.keys(headers).filter((key) => key.toLowerCase() === name);
    if (own) {
      for (const key of present) delete headers[key];
      headers[name] = value;
    } else for (const key of present) if (headers[key] === value) delete headers[key];
  }
  return headers;
}

/**
 * Whether the script of a service worker is asked for: Chromium says so to the server, and a page cannot. A document
 * that one makes up comes from no server, and so without the box below: it could open the system's print dialog.
 */
export function isServiceWorker(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'service-worker');
}

/**
 * A document may run scripts and use its own storage. Left out, and so impossible in it and in every frame below: dialogs
 * and printing, windows, downloads, navigating the top frame from below, pointer and orientation lock.
 */
const box = 'sandbox allow-scripts allow-same-origin allow-forms';

function boxed(headers: Readonly<Record<string, string[]>>): Record<string, string[]> {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'content-security-policy');
  return {
    ...headers,
    [name ?? 'content-security-policy']: [...(name === undefined ? [] : (headers[name] ?? [])), box],
  };
}

/** Neither the product nor its version is a server's business. */
export function plainUserAgent(session: Session): string {
  return session.getUserAgent().replace(/ (?:signet-player|Electron)\/\S+/g, '');
}

/** Sets a session up for one page. What every session denies (see lockdown.ts) stays denied. */
export async function prepareSession(session: Session, page: WebPage, rules: SessionRules): Promise<void> {
  const { origin } = new URL(page.url);
  session.webRequest.onBeforeRequest((details, callback) => {
    const allowed = mayRequest(page, details, rules);
    if (!allowed) rules.denied(details.resourceType);
    callback({ cancel: !allowed });
  });
  session.webRequest.onBeforeSendHeaders((details, callback) => {
    if (isServiceWorker(details.requestHeaders)) {
      rules.denied('serviceWorker');
      return callback({ cancel: true });
    }
    const asker = details.resourceType === 'mainFrame' || details.frame?.origin === origin;
    callback({ requestHeaders: headersFor(page, details.url, asker, details.requestHeaders) });
  });
  session.webRequest.onHeadersReceived((details, callback) => {
    const isDocument = details.resourceType === 'mainFrame' || details.resourceType === 'subFrame';
    callback(isDocument ? { responseHeaders: boxed(details.responseHeaders ?? {}) } : {});
  });
  session.setUserAgent(plainUserAgent(session));
  await session.setProxy({ ...rules.proxy });
}

/** Empties a session before another asset gets it. */
export async function wipeSession(session: Session): Promise<void> {
  await session.closeAllConnections();
  await Promise.all([
    session.clearStorageData(),
    session.clearCache(),
    session.clearAuthCache(),
    session.clearHostResolverCache(),
    session.clearCodeCaches({}),
  ]);
}

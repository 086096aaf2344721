import type { ConnectOptions, ProxyCredentials } from './api.ts';
import { TssError } from './error.ts';
import { isBypassed } from './proxy-bypass.ts';

/** Where the proxy is and what it is told. */
export interface ProxyRoute {
  readonly host: string;
  readonly port: number;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

// C0, DEL: RFC 7617 §2 forbids them in both parts.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * The way through the proxy, or nothing where there is none or the host is reached without it.
 * @throws TssError ARGUMENT_INVALID; its message quotes neither the address nor the credentials
 */
export function proxyRoute({ host, proxy }: Pick<ConnectOptions, 'host' | 'proxy'>): ProxyRoute | undefined {
  if (proxy === undefined || isBypassed(host, proxy.bypass ?? [])) return undefined;
  const url = URL.canParse(proxy.url) ? new URL(proxy.url) : undefined;
  if (url?.protocol !== 'http:') throw new TssError('ARGUMENT_INVALID', 'a proxy is an address http://host:port');
  if (url.username !== '' || url.password !== '') {
    throw new TssError('ARGUMENT_INVALID', 'the credentials of a proxy do not belong into its address');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new TssError('ARGUMENT_INVALID', 'a proxy’s address has neither path nor query');
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 80 : Number(url.port),
    authorization: proxy.credentials === undefined ? undefined : basic(proxy.credentials),
  };
}

function basic({ username, password }: ProxyCredentials): string {
  if (username.includes(':') || CONTROL.test(username + password)) {
    throw new TssError('ARGUMENT_INVALID', 'the proxy’s credentials hold a character that Basic cannot carry');
  }
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

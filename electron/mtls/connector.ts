import { readFile } from 'node:fs/promises';
import {
  assertIdentity,
  type ConnectOptions,
  connect,
  type SigningKey,
  type UndiciConnector,
  undiciConnector,
} from 'node-tss';
import { PlayerError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { transportFault } from './fault.ts';
import { proxyOf } from './proxy.ts';

/**
 * TLS to the API origin: trust and versions as `settings.server` says, through `settings.proxy`.
 * @param identity asked for each connection, so that a renewed certificate takes effect; without it no certificate
 * @param announced roots that the server has announced: trusted beside those of `server.caFile`, never where the
 *   system's store is trusted
 */
export function apiConnector(
  settings: Settings,
  identity: () => ConnectOptions['identity'] = () => undefined,
  announced: () => readonly string[] = () => [],
): UndiciConnector {
  return undiciConnector({
    credentials: async () => {
      const shown = identity();
      return { ...(await termsOf(settings, announced())), ...(shown === undefined ? {} : { identity: shown }) };
    },
  });
}

/**
 * Why TLS would not show this certificate with this key, told without a connection; `null` where it would.
 * @param certificateChain leaf first, PEM
 * @throws PlayerError where it cannot be told
 */
export function refusedByTls(key: SigningKey, certificateChain: string): PlayerError | null {
  try {
    assertIdentity({ key, certificateChain });
    return null;
  } catch (thrown) {
    const error = transportFault(thrown);
    if (error.code === 'CERTIFICATE_INVALID') return new PlayerError('CERTIFICATE_UNUSABLE', error.message, thrown);
    throw error;
  }
}

/**
 * Prove that the API origin's certificate holds with these announced roots alone, by a connection made for it: nothing
 * is resumed, and no certificate is shown.
 * @throws PlayerError
 */
export async function assertTrusted(settings: Settings, announced: readonly string[]): Promise<void> {
  const { hostname, port } = new URL(settings.server.origin);
  // A URL writes an IPv6 address in brackets.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    const terms = await termsOf(settings, announced);
    const stream = await connect({ ...terms, host, port: Number(port || 443), alpn: ['http/1.1'], resume: false });
    // Whatever the server still says of it: the handshake has told.
    stream.on('error', () => {}).destroy();
  } catch (thrown) {
    throw transportFault(thrown);
  }
}

/** TLS 1.3 to any other origin, without the device certificate and with the system's trust, through the same proxy. */
export function foreignConnector(settings: Settings): UndiciConnector {
  return undiciConnector({
    credentials: async () => {
      const proxy = await proxyOf(settings);
      return proxy === undefined ? {} : { proxy };
    },
  });
}

async function termsOf(settings: Settings, announced: readonly string[]) {
  const { caFile, allowTls12 } = settings.server;
  const proxy = await proxyOf(settings);
  return {
    ...(await trust(caFile, announced)),
    ...(allowTls12 ? { minVersion: 'TLSv1.2' as const } : {}),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

async function trust(caFile: string | undefined, announced: readonly string[]) {
  if (caFile === undefined) return {};
  if (announced.length === 0) return { caFile };
  return { ca: [await readFile(caFile, 'utf8'), ...announced].join('\n') };
}

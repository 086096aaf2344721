import { readFile } from 'node:fs/promises';
import { type ConnectOptions, type UndiciConnector, undiciConnector } from 'node-tss';
import type { Settings } from '../settings.ts';
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
  const { caFile, allowTls12 } = settings.server;
  return undiciConnector({
    credentials: async () => {
      const proxy = await proxyOf(settings);
      const shown = identity();
      return {
        ...(await trust(caFile, announced())),
        ...(allowTls12 ? { minVersion: 'TLSv1.2' as const } : {}),
        ...(shown === undefined ? {} : { identity: shown }),
        ...(proxy === undefined ? {} : { proxy }),
      };
    },
  });
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

async function trust(caFile: string | undefined, announced: readonly string[]) {
  if (caFile === undefined) return {};
  if (announced.length === 0) return { caFile };
  return { ca: [await readFile(caFile, 'utf8'), ...announced].join('\n') };
}

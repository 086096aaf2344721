import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { proxyOf } from '../mtls/proxy.ts';
import { isNeighbour, isPublicAddress } from '../sanitize/public-address.ts';
import type { Settings } from '../settings.ts';
import { createNameLookup } from '../shell/name-lookup.ts';
import { type Gate, type GatePorts, openGate } from '../shell/page-gate.ts';

/** The one gate for everything that content asks of the network. */
export interface Gateway {
  /** Opened at the first call. */
  open(): Promise<Gate>;
  /** What Chromium is to say when the gate asks for a password; `null` for any other proxy. */
  login: Gate['login'];
}

export function createGateway(settings: Settings, log: GatePorts['log']): Gateway {
  let gate: Promise<Gate> | null = null;
  let opened: Gate | null = null;
  return {
    open: async () => {
      gate ??= openGate(gatePorts(settings, log)).catch((thrown: unknown) => {
        // What kept it from listening, such as too many open files, passes: the next call tries again.
        gate = null;
        throw thrown;
      });
      opened = await gate;
      return opened;
    },
    login: (host, port) => opened?.login(host, port) ?? null,
  };
}

function gatePorts(settings: Settings, log: GatePorts['log']): GatePorts {
  const api = new URL(settings.server.origin);
  const named = settings.network.allowPrivatePages.map((origin) => new URL(origin));
  const portOf = (url: URL) => Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.+$/, '');
  return {
    rule: (host, port, plain) => {
      if (host === hostOf(api) && port === portOf(api)) return 'refused';
      const isHere = (url: URL) => hostOf(url) === host && portOf(url) === port;
      if (plain && !settings.network.allowHttpFor.some((origin) => isHere(new URL(origin)))) return 'refused';
      return named.some(isHere) ? 'anywhere' : 'public';
    },
    isPublic: (address) => isPublicAddress(address) && !isNeighbour(address, ownAddresses()),
    resolve: createNameLookup((host) => lookup(host, { all: true, verbatim: true })),
    upstream: async (host) => {
      const proxy = await proxyOf(settings);
      if (proxy === undefined) return null;
      // Loaded now, not at the start: the first picture comes before the addon.
      const { proxyRoute } = await import('node-tss');
      return proxyRoute({ host, proxy }) ?? null;
    },
    log,
  };
}

/** They change while the player runs: asked for anew for each connection. */
const ownAddresses = () => Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

import { BlockList, isIP } from 'node:net';
import { TssError } from './error.ts';

const NAME = /^\.?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Whether a host is reached without the proxy.
 * @param host a name or an address; a name is never resolved for this
 * @param bypass see ProxyOptions
 * @throws TssError ARGUMENT_INVALID naming the entry that is none
 */
export function isBypassed(host: string, bypass: readonly string[]): boolean {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  const version = isIP(wanted);
  // Each one is looked at, also behind a match: a mistyped entry shows at the first connection.
  return bypass.map((entry) => matches(wanted, version, entry.toLowerCase())).includes(true);
}

function matches(host: string, version: number, entry: string): boolean {
  const [network = '', prefix, ...rest] = entry.split('/');
  const family = isIP(network);
  if (family !== 0 && rest.length === 0) {
    const list = new BlockList();
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(network, type);
    else list.addSubnet(network, bits(prefix, family === 4 ? 32 : 128, entry), type);
    return version !== 0 && list.check(host, version === 4 ? 'ipv4' : 'ipv6');
  }
  if (prefix !== undefined || !NAME.test(entry)) throw invalid(entry);
  return entry.startsWith('.') ? host.endsWith(entry) && host !== entry : host === entry;
}

function bits(prefix: string, most: number, entry: string): number {
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > most) throw invalid(entry);
  return Number(prefix);
}

function invalid(entry: string): TssError {
  return new TssError('ARGUMENT_INVALID', `"${entry.slice(0, 80)}" is no host, .suffix, address or address range`);
}

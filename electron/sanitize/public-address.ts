import { BlockList, isIP } from 'node:net';

/** Not reachable from the public internet, or not one machine (IANA special-purpose registries for IPv4 and IPv6). */
const special = new BlockList();
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]) {
  const [network = '', prefix] = range.split('/');
  special.addSubnet(network, Number(prefix), 'ipv4');
}
// Of IPv6 only the global unicast block counts; these parts of it do not, some because they carry another address.
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, prefix, 'ipv6');

const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

/** Whether an address is one of the public internet. What is no IP address is not. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !special.check(address, 'ipv4');
  if (version !== 6 || address.includes('%')) return false;
  return unicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** An address of this device with its network, such as `192.168.1.4/24`; `null` where the system does not tell. */
export interface OwnAddress {
  readonly cidr: string | null;
}

/**
 * Whether an address is this device's own or of a network that it is part of. With IPv6 the neighbours of a private
 * network, and the device itself, have addresses of the public internet.
 * @param own of every interface, as the system tells them now
 */
export function isNeighbour(address: string, own: readonly OwnAddress[]): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const networks = new BlockList();
  for (const { cidr } of own) {
    const [network = '', prefix] = cidr?.split('/') ?? [];
    if (isIP(network) !== 0) networks.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return isIP(address) !== 0 && networks.check(address, family);
}

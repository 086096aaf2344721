import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNeighbour, isPublicAddress } from '../../../electron/sanitize/public-address.ts';

test('private, loopback, link-local, shared, documentation, multicast and reserved addresses are not public', () => {
  for (const address of [
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
    ...['172.31.255.255', '192.0.0.1', '192.0.2.1', '192.88.99.1', '192.168.255.1', '198.18.0.1', '198.51.100.1'],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '100::1', '2001::1', '2001:db8::1'],
    ...['2002:7f00:1::', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
    ...['', 'localhost', '1', '0x7f.1', '127.1', '2001:4860:4860::8888%1'],
  ])
    assert.equal(isPublicAddress(address), false, address);
});

test('addresses of the public internet are public, also beside the special blocks', () => {
  for (const address of [
    ...['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '192.167.1.1', '223.1.1.1'],
    ...['2001:4860:4860::8888', '2606:4700::1111', '2a00:1450::1'],
  ])
    assert.equal(isPublicAddress(address), true, address);
});

test('the device itself and its neighbours are known by its own addresses, public ones among them', () => {
  const own = ['127.0.0.1/8', '84.1.2.3/29', '2a02:1:2:3::7/64', 'fe80::1/64', null].map((cidr) => ({ cidr }));
  for (const address of ['84.1.2.3', '84.1.2.6', '2a02:1:2:3::7', '2a02:1:2:3:ffff::1', '127.1.1.1'])
    assert.equal(isNeighbour(address, own), true, address);
  for (const address of ['84.1.2.8', '8.8.8.8', '2a02:1:2:4::7', '2001:4860:4860::8888', '', 'x'])
    assert.equal(isNeighbour(address, own), false, address);
  assert.equal(isNeighbour('8.8.8.8', []), false);
});

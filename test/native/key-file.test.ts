import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyBlob } from '../../native/addon.ts';
import { encode, tags } from '../../native/der.ts';
import { readKeyFile, writeKeyFile } from '../../native/key-file.ts';

const blob: KeyBlob = { parent: 0x40000001, publicArea: Buffer.alloc(90, 1), privateArea: Buffer.alloc(128, 2) };
const loadable = Buffer.from('6781050a0103', 'hex');

interface Shape {
  readonly type?: Buffer;
  readonly optional?: readonly Buffer[];
  readonly parent?: Buffer;
  readonly rest?: readonly Buffer[];
}

function pemOf(der: Uint8Array): string {
  return `-----BEGIN TSS2 PRIVATE KEY-----\n${Buffer.from(der).toString('base64')}\n-----END TSS2 PRIVATE KEY-----\n`;
}

function emptyAuth(value: number): Buffer {
  return encode(tags.explicit, encode(tags.boolean, Buffer.from([value])));
}

function keyDer(shape: Shape = {}): Buffer {
  return encode(
    tags.sequence,
    encode(tags.oid, shape.type ?? loadable),
    ...(shape.optional ?? [emptyAuth(0xff)]),
    encode(tags.integer, shape.parent ?? Buffer.from('40000001', 'hex')),
    ...(shape.rest ?? [encode(tags.octets, blob.publicArea), encode(tags.octets, blob.privateArea)]),
  );
}

function explicit(number: number, contents: Buffer): Buffer {
  return encode(tags.explicit + number, contents);
}

const octets = encode(tags.octets, Buffer.from('00', 'hex'));
const whole = keyDer();

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['an empty text', '', /PEM/],
  ['another kind of PEM', pemOf(whole).replaceAll('TSS2 PRIVATE', 'PRIVATE'), /PEM/],
  ['text in front of the PEM', `key\n${pemOf(whole)}`, /PEM/],
  ['a text longer than any key file', pemOf(Buffer.alloc(10_000)), /longer/],
  ['what is not base64', pemOf(whole).replace('M', '*'), /base64/],
  ['a DER that ends early', pemOf(whole.subarray(0, -1)), /beyond the end/],
  ['bytes behind the DER', pemOf(Buffer.concat([whole, Buffer.from([0])])), /./],
  ['a length of four bytes', pemOf(Buffer.from('3084ffffffff', 'hex')), /length/],
  ['an indefinite length', pemOf(Buffer.from('30800000', 'hex')), /length/],
  ['a length not in its shortest form', pemOf(Buffer.from('30820003020100', 'hex')), /shortest/],
  ['an importable key', pemOf(keyDer({ type: Buffer.from('6781050a0104', 'hex') })), /importable/],
  ['sealed data', pemOf(keyDer({ type: Buffer.from('6781050a0105', 'hex') })), /sealed/],
  ['an unknown type', pemOf(keyDer({ type: Buffer.from('2a03', 'hex') })), /type/],
  ['a policy', pemOf(keyDer({ optional: [emptyAuth(1), explicit(1, encode(tags.sequence))] })), /policy/],
  ['a secret', pemOf(keyDer({ optional: [emptyAuth(1), explicit(2, octets)] })), /secret/],
  ['an authPolicy', pemOf(keyDer({ optional: [emptyAuth(1), explicit(3, encode(tags.sequence))] })), /authPolicy/],
  [
    'an RSA parent',
    pemOf(keyDer({ optional: [emptyAuth(1), explicit(5, encode(tags.boolean, octets))] })),
    /rsaParent/,
  ],
  ['a field that is not defined', pemOf(keyDer({ optional: [emptyAuth(1), explicit(6, octets)] })), /\[6\]/],
  ['a field given twice', pemOf(keyDer({ optional: [emptyAuth(1), emptyAuth(1)] })), /order/],
  ['a parent of eight bytes', pemOf(keyDer({ parent: Buffer.alloc(8, 1) })), /handle/],
  ['a parent of one byte', pemOf(keyDer({ parent: Buffer.from([1]) })), /handle/],
  ['a missing private part', pemOf(keyDer({ rest: [octets] })), /privkey/],
  ['parts of another type', pemOf(keyDer({ rest: [octets, encode(tags.integer, octets)] })), /privkey/],
  ['a hundred elements', pemOf(keyDer({ rest: Array.from({ length: 100 }, () => octets) })), /too many/],
];

for (const [what, pem, message] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(() => readKeyFile(pem), { name: 'TssError', code: 'KEY_INVALID', message });
  });
}

test('refuses a key that has a password', () => {
  for (const optional of [[], [emptyAuth(0)]]) {
    assert.throws(() => readKeyFile(pemOf(keyDer({ optional }))), { code: 'KEY_AUTH' });
  }
});

test('reads what it writes, for a primary and for a persistent parent', () => {
  for (const parent of [0x40000001, 0x81000001]) {
    assert.deepEqual(readKeyFile(writeKeyFile({ ...blob, parent })), { ...blob, parent });
  }
});

test('reads a true emptyAuth of any non-zero value, as other writers put it', () => {
  for (const value of [0x01, 0x80, 0xff]) {
    assert.deepEqual(readKeyFile(pemOf(keyDer({ optional: [emptyAuth(value)] }))), blob);
  }
});

test('reads a persistent parent that an old writer wrote as a negative number', () => {
  assert.equal(readKeyFile(pemOf(keyDer({ parent: Buffer.from('81000001', 'hex') }))).parent, 0x81000001);
});

test('passes over a description', () => {
  assert.deepEqual(readKeyFile(pemOf(keyDer({ optional: [emptyAuth(1), explicit(4, octets)] }))), blob);
});

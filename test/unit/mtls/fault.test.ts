import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TssError } from 'node-tss';
import { errors } from 'undici';
import { PlayerError } from '../../../electron/errors.ts';
import { transportFault } from '../../../electron/mtls/fault.ts';

const rows: readonly [name: string, thrown: unknown, code: string][] = [
  ['a server that is not trusted', new TssError('SERVER_UNTRUSTED', 'x'), 'SERVER_UNTRUSTED'],
  ['a server of another name', new TssError('SERVER_WRONG_HOST', 'x'), 'SERVER_WRONG_HOST'],
  ['a server whose certificate has expired', new TssError('SERVER_EXPIRED', 'x'), 'SERVER_EXPIRED'],
  ['a server that refuses us', new TssError('SERVER_REFUSED_CERTIFICATE', 'x'), 'SERVER_REFUSED_CERTIFICATE'],
  ['a name that nobody knows', new TssError('NAME_UNRESOLVED', 'x'), 'NAME_UNRESOLVED'],
  ['a closed port', new TssError('CONNECTION_REFUSED', 'x'), 'CONNECTION_REFUSED'],
  ['a server that speaks no TLS', new TssError('TLS_PROTOCOL', 'x'), 'TLS_PROTOCOL'],
  ['a proxy that is away', new TssError('PROXY_UNREACHABLE', 'x'), 'PROXY_UNREACHABLE'],
  ['a proxy that says no', new TssError('PROXY_REFUSED', 'x'), 'PROXY_REFUSED'],
  ['a proxy that is none', new TssError('PROXY_PROTOCOL', 'x'), 'PROXY_PROTOCOL'],
  ['a file of authorities that is gone', new TssError('TRUST_INVALID', 'x'), 'TRUST_INVALID'],
  ['a connection that takes too long', new TssError('CONNECTION_TIMEOUT', 'x'), 'CONNECTION_TIMEOUT'],
  ['a TPM in lockout', new TssError('TPM_LOCKED_OUT', 'x'), 'TPM_LOCKED_OUT'],
  ['a TPM without a free slot', new TssError('TPM_SLOTS_FULL', 'x'), 'TPM_BUSY'],
  ['a TPM that is gone', new TssError('TPM_ABSENT', 'x'), 'TPM_ABSENT'],
  ['a key of another TPM', new TssError('KEY_LOST', 'x'), 'KEY_LOST'],
  ['a server silent before the headers', new errors.HeadersTimeoutError(), 'CONNECTION_TIMEOUT'],
  ['a server silent within the body', new errors.BodyTimeoutError(), 'CONNECTION_TIMEOUT'],
  ['a connector that gave up', new errors.ConnectTimeoutError(), 'CONNECTION_TIMEOUT'],
  ['a call past its deadline', new DOMException('timed out', 'TimeoutError'), 'CONNECTION_TIMEOUT'],
  ['headers without end', new errors.HeadersOverflowError(), 'SERVER_REPLY_TOO_LARGE'],
  ['a connection that broke', new errors.SocketError('other side closed'), 'CONNECTION_FAILED'],
  ['something that is no error', 'nonsense', 'CONNECTION_FAILED'],
  ['nothing at all', undefined, 'CONNECTION_FAILED'],
];

for (const [name, thrown, code] of rows)
  test(`${name} is ${code}`, () => {
    const fault = transportFault(thrown);
    assert.equal(fault.code, code);
    if (thrown !== undefined) assert.equal(fault.cause, thrown);
  });

test('the first cause that has a meaning decides', () => {
  const inner = new TssError('SERVER_UNTRUSTED', 'x');
  assert.equal(transportFault(new Error('outer', { cause: inner })).code, 'SERVER_UNTRUSTED');
});

test('a PlayerError stays the same object', () => {
  const error = new PlayerError('HOST_REFUSED', 'x');
  assert.equal(transportFault(error), error);
  assert.equal(transportFault(new Error('outer', { cause: error })), error);
});

test('an error code that is also a name on every object means nothing', () => {
  const thrown = Object.assign(new Error('x'), { code: 'constructor' });
  assert.equal(transportFault(thrown).code, 'CONNECTION_FAILED');
  assert.equal(transportFault(new TssError('toString' as 'KEY_LOST', 'x')).code, 'TPM_FAILED');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Effect,
  type Happening,
  type IssuedCertificate,
  type Pending,
  type Registered,
  type Registration,
  refusalPauseMs,
  step,
} from '../../../electron/registration/machine.ts';

const nowMs = 1_000_000;
const unregistered: Registration = { state: 'unregistered' };
const hardware = { verified: true, manufacturer: 'IFX', model: 'SLB9672' } as const;
const accepted = {
  ...{ id: 'r1', pin: 'K7Q4M2', ticket: 'secret', expiresAtMs: nowMs + 900_000, pollIntervalMs: 5_000 },
  hardware,
};
const pending: Pending = { state: 'pending', ...accepted };
const registered: Registered = {
  ...{ state: 'registered', screenId: 's1', screenName: 'Lobby', suspendedSinceMs: null },
  hardware,
};
const refused: Registration = { state: 'refused', reason: 'denied', retryAtMs: nowMs + 60_000 };
const issued: IssuedCertificate = { certificate: 'C', chain: [], screenId: 's1', screenName: 'Lobby' };

const rows: readonly [name: string, from: Registration, happening: Happening, to: Registration, effects: Effect[]][] = [
  ['a new screen asks to be registered', unregistered, { type: 'started' }, unregistered, [{ type: 'register' }]],
  [
    'an accepted request shows its PIN and waits',
    unregistered,
    { type: 'accepted', ...accepted },
    pending,
    [{ type: 'wait', ms: 5_000 }],
  ],
  [
    'a failed request is tried again',
    unregistered,
    { type: 'failed', retryInMs: 700 },
    unregistered,
    [{ type: 'wait', ms: 700 }],
  ],
  [
    'a restart while pending polls the same registration',
    pending,
    { type: 'started' },
    pending,
    [{ type: 'poll', id: 'r1', ticket: 'secret' }],
  ],
  [
    'a pending answer waits for the poll interval',
    pending,
    { type: 'still-pending' },
    pending,
    [{ type: 'wait', ms: 5_000 }],
  ],
  [
    'an issued certificate is stored before the screen counts as registered',
    pending,
    { type: 'issued', issued },
    pending,
    [{ type: 'store-certificate', issued }],
  ],
  [
    'a stored certificate registers the screen',
    pending,
    { type: 'stored', screenId: 's1', screenName: 'Lobby' },
    registered,
    [],
  ],
  ['an expired PIN starts over', pending, { type: 'expired' }, unregistered, [{ type: 'register' }]],
  [
    'a denied registration pauses',
    pending,
    { type: 'denied' },
    { state: 'refused', reason: 'denied', retryAtMs: nowMs + refusalPauseMs },
    [{ type: 'wait', ms: refusalPauseMs }],
  ],
  [
    'a certificate for another key is refused',
    pending,
    { type: 'certificate-refused', reason: 'key-mismatch' },
    { state: 'refused', reason: 'key-mismatch', retryAtMs: nowMs + refusalPauseMs },
    [{ type: 'wait', ms: refusalPauseMs }],
  ],
  ['a restart while refused goes on waiting', refused, { type: 'started' }, refused, [{ type: 'wait', ms: 60_000 }]],
  [
    'a revoked screen notes since when',
    registered,
    { type: 'suspended' },
    { ...registered, suspendedSinceMs: nowMs },
    [],
  ],
  [
    'a restored screen forgets the revocation',
    { ...registered, suspendedSinceMs: 5 },
    { type: 'restored' },
    registered,
    [],
  ],
  [
    'a revoked screen keeps the first instant',
    { ...registered, suspendedSinceMs: 5 },
    { type: 'suspended' },
    { ...registered, suspendedSinceMs: 5 },
    [],
  ],
  [
    'a screen revoked by a clock that was ahead counts from the time that is right',
    { ...registered, suspendedSinceMs: nowMs + 60 * 86_400_000 },
    { type: 'suspended' },
    { ...registered, suspendedSinceMs: nowMs },
    [],
  ],
  [
    'a removed screen forgets its content and asks anew',
    registered,
    { type: 'removed' },
    unregistered,
    [{ type: 'forget-content' }, { type: 'register' }],
  ],
  [
    'a lost identity asks anew and keeps its content',
    registered,
    { type: 'identity-lost' },
    unregistered,
    [{ type: 'register' }],
  ],
];

for (const [name, from, happening, to, effects] of rows)
  test(name, () => assert.deepEqual(step(from, happening, nowMs), { next: to, effects }));

test('refuses to be registered by a late reply of an earlier registration', () => {
  for (const happening of [
    { type: 'stored', screenId: 'x', screenName: 'x' },
    { type: 'issued', issued },
  ] as const)
    assert.deepEqual(step(unregistered, happening, nowMs), { next: unregistered, effects: [] });
});

test('does not keep a dead PIN on the screen when the server is out of reach', () => {
  const late = step(pending, { type: 'failed', retryInMs: 9 }, accepted.expiresAtMs);
  assert.deepEqual(late, { next: unregistered, effects: [{ type: 'wait', ms: 9 }] });
});

test('takes the server’s word for a PIN that a wrong clock believes expired', () => {
  assert.equal(step(pending, { type: 'still-pending' }, accepted.expiresAtMs + 1e12).next, pending);
});

test('a clock that was set back does not prolong the pause after a refusal', () => {
  const far: Registration = { ...refused, retryAtMs: nowMs + 1e12 };
  assert.deepEqual(step(far, { type: 'started' }, nowMs).effects, [{ type: 'wait', ms: refusalPauseMs }]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnedAway } from '../../backend/turned-away.ts';

const device = (fingerprint: string) => ({ hostname: `host-${fingerprint}`, fingerprint });

test('remembers the latest refusal of each key, the latest first, twenty of them for an hour', () => {
  let nowMs = 0;
  const away = new TurnedAway(() => nowMs);
  away.note(device('a'), 'Acme', 'endorsement-untrusted');
  away.note(device('b'), 'Acme', 'attestation-required');
  nowMs = 1_000;
  away.note(device('a'), 'Acme', 'secret-mismatch');
  assert.deepEqual(
    away.list().map(({ fingerprint, code, at }) => [fingerprint, code, Date.parse(at)]),
    [
      ['a', 'secret-mismatch', 1_000],
      ['b', 'attestation-required', 0],
    ],
  );
  nowMs = 3_600_000;
  assert.deepEqual(
    away.list().map(({ fingerprint }) => fingerprint),
    ['a'],
  );
  for (let number = 0; number < 30; number++) away.note(device(String(number)), '', 'attestation-required');
  assert.equal(away.list().length, 20);
  assert.equal(away.list()[0]?.fingerprint, '29');
});

test('forgets a key that was let in', () => {
  const away = new TurnedAway(() => 0);
  away.note(device('a'), '', 'attestation-required');
  away.forget('a');
  assert.deepEqual(away.list(), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { type Facts, hardwareOf, present } from '../../../electron/ipc/presenter.ts';
import type { RefusalReason, Registration } from '../../../electron/registration/machine.ts';
import { oneItem, playingFacts, unknownFacts } from '../../support/screen-facts.ts';

const pending: Registration = {
  state: 'pending',
  id: 'r1',
  pin: 'K7Q4M2',
  ticket: 'a-secret-ticket-of-32-characters',
  expiresAtMs: 5,
  pollIntervalMs: 1,
  hardware: null,
};
const empty = { programId: 'p0', items: [] };
const noTpm = new PlayerError('TPM_ABSENT', '/dev/tpmrm0: ENOENT');
const away = new PlayerError('CONNECTION_FAILED', 'connect ECONNREFUSED 192.0.2.1:443');

const lockedOut = new PlayerError('TPM_LOCKED_OUT', 'in lockout for 1000 s');

const rows: readonly [name: string, facts: Facts, state: string, detail?: string][] = [
  ['nothing known yet', unknownFacts, 'starting'],
  ['no TPM, registration not read yet', { ...unknownFacts, identityProblem: noTpm }, 'starting'],
  ['unregistered', { ...unknownFacts, registration: { state: 'unregistered' } }, 'registering'],
  [
    'unregistered, no TPM',
    { ...unknownFacts, registration: { state: 'unregistered' }, identityProblem: noTpm },
    'trouble',
    'TPM_ABSENT',
  ],
  ['pending', { ...playingFacts, registration: pending }, 'registering'],
  [
    'pending, with content of an earlier life',
    { ...playingFacts, registration: pending, program: oneItem },
    'registering',
  ],
  [
    'refused',
    { ...playingFacts, registration: { state: 'refused', reason: 'denied', retryAtMs: 0 } },
    'trouble',
    'REGISTRATION_DENIED',
  ],
  ['registered, something plays', playingFacts, 'playing'],
  ['registered, no TPM, something plays', { ...playingFacts, identityProblem: noTpm }, 'playing'],
  ['registered, no server, something plays', { ...playingFacts, problems: [away] }, 'playing'],
  [
    'registered, no TPM, nothing to play',
    { ...playingFacts, program: null, identityProblem: noTpm },
    'trouble',
    'TPM_ABSENT',
  ],
  [
    'unregistered, the key does not sign',
    { ...playingFacts, registration: { state: 'unregistered' }, problems: [away, lockedOut] },
    'trouble',
    'TPM_LOCKED_OUT',
  ],
  ['registered, the key does not sign, something plays', { ...playingFacts, problems: [lockedOut] }, 'playing'],
  [
    'registered, the key does not sign, nothing to play',
    { ...playingFacts, program: null, problems: [lockedOut] },
    'trouble',
    'TPM_LOCKED_OUT',
  ],
  ['registered, never synced', { ...playingFacts, program: null }, 'standby', 'nothing-synced'],
  ['registered, nothing scheduled now', { ...playingFacts, program: empty }, 'standby', 'nothing-scheduled'],
  ['revoked and blanked', { ...playingFacts, blanked: true }, 'standby', 'suspended'],
  ['revoked and blanked, no TPM', { ...playingFacts, blanked: true, identityProblem: noTpm }, 'standby', 'suspended'],
];

for (const [name, facts, state, detail] of rows)
  test(`${name}: ${state} ${detail ?? ''}`, () => {
    const snapshot = present(facts);
    assert.equal(snapshot.state, state);
    if (snapshot.state === 'standby') assert.equal(snapshot.reason, detail);
    if (snapshot.state === 'trouble') assert.equal(snapshot.trouble.code, detail);
  });

test('no ticket, path, address or native error text reaches the page in any state', () => {
  for (const [name, facts] of rows) {
    const text = JSON.stringify(present({ ...facts, problems: [away] }));
    for (const secret of ['a-secret-ticket', '/dev/', '192.0.2.1', 'ECONN', 'poll'])
      assert.equal(text.includes(secret), false, `${name}: ${secret}`);
  }
});

test('shows no card before the key is open: a PIN without its fingerprint proves nothing', () => {
  const snapshot = present({ ...unknownFacts, registration: pending });
  assert.equal(snapshot.state === 'registering' && snapshot.registration, null);
});

test('the card has the PIN, 16 digits of the fingerprint and the claim page with the PIN', () => {
  const claimUrl = 'https://signage.example/claim?site=7';
  const snapshot = present({ ...playingFacts, registration: pending, claimUrl });
  assert.ok(snapshot.state === 'registering');
  assert.deepEqual(snapshot.registration, {
    pin: 'K7Q4M2',
    fingerprint: '0123456789abcdef',
    claimUrl: 'https://signage.example/claim?site=7&pin=K7Q4M2',
    expiresAtMs: 5,
    hardware: null,
  });
});

test('the screen’s name is known once it is registered, and no longer after it was removed', () => {
  assert.equal(present(playingFacts).screenName, 'Lobby');
  assert.equal(present({ ...playingFacts, registration: { state: 'unregistered' } }).screenName, null);
});

test('the notice is the identity’s fault first, then the latest other fault', () => {
  const older = new PlayerError('STORE_FULL', 'x');
  assert.equal(present({ ...playingFacts, problems: [away, older] }).notice?.code, 'CONNECTION_FAILED');
  assert.equal(present({ ...playingFacts, identityProblem: noTpm, problems: [away] }).notice?.code, 'TPM_ABSENT');
  assert.equal(present(playingFacts).notice, null);
});

test('every reason of a refusal has words and a remedy of its own', () => {
  const reasons: RefusalReason[] = ['denied', 'key-mismatch', 'untrusted', 'usage', 'dates', 'unusable', 'invalid'];
  const summaries = reasons.map((reason) => {
    const snapshot = present({ ...playingFacts, registration: { state: 'refused', reason, retryAtMs: 0 } });
    return snapshot.state === 'trouble' ? snapshot.trouble.summary : '';
  });
  assert.equal(new Set(summaries).size, reasons.length);
  assert.ok(summaries.every((summary) => summary.length > 0));
});

test('the picture is turned as the server asks, unless the settings say otherwise', () => {
  const asked = { ...playingFacts, rotationAsked: 90 } as const;
  assert.equal(present(asked).look.rotation, 90);
  assert.equal(present({ ...asked, look: { ...asked.look, rotation: 0 } }).look.rotation, 0);
  assert.equal(present(playingFacts).look.rotation, 0);
});

test('what the server says of the hardware is told in the few words of the page, before and after the claim', () => {
  const said = (code: string) => {
    const registration = { ...pending, hardware: { verified: false, code } } as Registration;
    return hardwareOf(registration);
  };
  assert.deepEqual(said('attestation-absent'), { verified: false, reason: 'none' });
  assert.deepEqual(said('endorsement-untrusted'), { verified: false, reason: 'unknown-chip' });
  assert.deepEqual(said('secret-mismatch'), { verified: false, reason: 'refused' });
  const hardware = { verified: true, manufacturer: 'IFX', model: 'x'.repeat(64) } as const;
  const claimed = { state: 'registered', screenId: 's', screenName: 'n', suspendedSinceMs: null, hardware } as const;
  assert.deepEqual(hardwareOf(claimed), { verified: true, manufacturer: 'IFX', model: 'x'.repeat(24) });
  assert.equal(hardwareOf({ state: 'unregistered' }), null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFactBook, isBlanked } from '../../../electron/assembly/facts.ts';
import { PlayerError } from '../../../electron/errors.ts';
import type { Snapshot } from '../../../electron/ipc/contract.ts';
import type { Registered } from '../../../electron/registration/machine.ts';
import { playingFacts } from '../../support/screen-facts.ts';

const registered: Registered = {
  state: 'registered',
  screenId: 's1',
  screenName: 'Lobby',
  suspendedSinceMs: null,
  hardware: null,
};
const revoked: Registered = { ...registered, suspendedSinceMs: 1_000 };
const standby = { whenRevoked: 'standby', graceSeconds: 60 } as const;

test('a revoked screen goes dark when its grace period is over, and not a moment before', () => {
  assert.equal(isBlanked(revoked, standby, 60_999), false);
  assert.equal(isBlanked(revoked, standby, 61_000), true);
  assert.equal(isBlanked(revoked, { ...standby, graceSeconds: 0 }, 1_000), true);
});

test('a screen that is not revoked, not registered or told to keep playing never goes dark', () => {
  assert.equal(isBlanked(registered, standby, 1e15), false);
  assert.equal(isBlanked({ state: 'unregistered' }, standby, 1e15), false);
  assert.equal(isBlanked(null, standby, 1e15), false);
  assert.equal(isBlanked(revoked, { ...standby, whenRevoked: 'keep-playing' }, 1e15), false);
});

function world() {
  const published: Snapshot[] = [];
  let nowMs = 0;
  const { problems: _, blanked: __, ...initial } = playingFacts;
  const book = createFactBook(
    initial,
    standby,
    () => nowMs,
    (snapshot) => void published.push(snapshot),
  );
  return { book, latest: () => published.at(-1), setNow: (ms: number) => (nowMs = ms) };
}

test('the clock alone blanks a revoked screen, at the next look', () => {
  const { book, latest, setNow } = world();
  book.update({ registration: revoked });
  assert.equal(latest()?.state, 'playing');
  setNow(61_000);
  book.refresh();
  assert.equal(latest()?.state, 'standby');
  book.update({ registration: registered });
  assert.equal(latest()?.state, 'playing');
});

test('each source takes back its own fault, and the latest one is shown', () => {
  const { book, latest } = world();
  book.problem('sync', new PlayerError('CONNECTION_FAILED', 'x'));
  book.problem('renewal', new PlayerError('CERTIFICATE_DATES', 'x'));
  assert.equal(latest()?.notice?.code, 'CERTIFICATE_DATES');
  book.problem('sync', new PlayerError('SERVER_ERROR', 'x'));
  assert.equal(latest()?.notice?.code, 'SERVER_ERROR');
  book.problem('sync', null);
  assert.equal(latest()?.notice?.code, 'CERTIFICATE_DATES');
  book.problem('renewal', null);
  assert.equal(latest()?.notice, null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterExpiry } from '../../../electron/assembly/expired.ts';
import type { FactBook } from '../../../electron/assembly/facts.ts';
import type { Identity } from '../../../electron/assembly/identity.ts';
import { PlayerError } from '../../../electron/errors.ts';
import { silentLog } from '../../support/silent-log.ts';

const endMs = Date.UTC(2026, 0, 1, 12, 0, 30);

/** @param serverMs what the server says of the time @param outcome of a try to enrol again */
async function judged(serverMs: number | null, outcome: () => Promise<'renewed' | 'refused' | 'operator'>) {
  const problems: (string | null)[] = [];
  let tries = 0;
  const identity = {
    serverTime: async () => serverMs,
    reenrol: () => {
      tries++;
      return outcome();
    },
  } as Partial<Identity> as Identity;
  const facts = {
    problem: (_source, error) => problems.push(error?.code ?? null),
  } as Partial<FactBook> as FactBook;
  return { said: await afterExpiry(identity, endMs, { facts, log: silentLog }), tries, problems };
}

test('a server by whose clock the certificate still holds is believed, and not asked for another', async () => {
  const { said, tries } = await judged(endMs - 1_000, async () => 'renewed');
  assert.deepEqual([said, tries], ['clock-wrong', 0]);
});

test('a server tells whole seconds: in the one that the certificate ends with, it has ended', async () => {
  const { said, tries } = await judged(endMs, async () => 'renewed');
  assert.deepEqual([said, tries], ['renewed', 1]);
});

test('a server that tells no time is asked, and what it refuses is asked for again', async () => {
  assert.equal((await judged(null, async () => 'refused')).said, 'wait');
  assert.equal((await judged(null, async () => 'operator')).said, 'operator');
  const failed = await judged(null, async () => {
    throw new PlayerError('SERVER_ERROR', 'down');
  });
  assert.deepEqual([failed.said, failed.problems], ['wait', ['SERVER_ERROR']]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlots } from '../../../electron/shell/session-slots.ts';

/** Sessions by partition, as Electron has them; what lives in each, and what of which was wiped. */
function setUp() {
  const used = new Set<string>();
  const wiped: string[] = [];
  const sessionFor = createSlots<string>({
    session: (partition) => partition,
    wipe: async (session) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      wiped.push(session);
    },
    isUsed: (session) => used.has(session),
  });
  const sessionsFor = async (from: number, to: number) => {
    for (let at = from; at < to; at += 1) await sessionFor(`a${at}`);
  };
  return { used, wiped, sessionFor, sessionsFor };
}

test('an asset keeps its session; the 33rd has the longest unused, wiped', async () => {
  const { wiped, sessionFor, sessionsFor } = setUp();
  await sessionsFor(0, 32);
  assert.equal(await sessionFor('a0'), 'page-0');
  assert.deepEqual(wiped, []);
  assert.equal(await sessionFor('b'), 'page-1');
  assert.deepEqual(wiped, ['page-1']);
});

test('two assets that ask while sessions are wiped share none', async () => {
  const { wiped, sessionFor, sessionsFor } = setUp();
  await sessionsFor(0, 32);
  const given = await Promise.all(['b', 'c', 'd'].map((asset) => sessionFor(asset)));
  assert.deepEqual(given, ['page-0', 'page-1', 'page-2']);
  assert.deepEqual(wiped, given);
  assert.equal(await sessionFor('a31'), 'page-31');
});

test('a session in which a page lives is given to no other asset, however long ago it was asked for', async () => {
  const { used, wiped, sessionFor, sessionsFor } = setUp();
  await sessionsFor(0, 32);
  used.add('page-0');
  assert.equal(await sessionFor('b'), 'page-1');
  for (let at = 2; at < 32; at += 1) used.add(`page-${at}`);
  used.add('page-1');
  assert.equal(await sessionFor('c'), 'page-32');
  assert.deepEqual(wiped, ['page-1']);
});

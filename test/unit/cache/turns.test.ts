import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTurns, turnLimits } from '../../../electron/cache/turns.ts';

const { signal } = new AbortController();
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const small = 1_000;
const large = turnLimits.largeBytes + 1;

/** Wishes in the order in which they are made; what has its turn is written down. */
function world() {
  const turns = createTurns();
  const running = new Map<string, () => void>();
  const wish = async (name: string, origin: string, sizeBytes: number | null) => {
    running.set(name, await turns.take({ origin, sizeBytes }, signal));
  };
  const end = (name: string) => {
    running.get(name)?.();
    running.delete(name);
  };
  return { turns, running, wish, end };
}

test('a slow origin does not take all turns: another has some of its own', async () => {
  const { running, wish } = world();
  for (let file = 0; file < 20; file++) void wish(`slow ${file}`, 'https://slow', small);
  void wish('other', 'https://other', small);
  await settled();
  assert.equal([...running.keys()].filter((name) => name.startsWith('slow')).length, turnLimits.perOrigin);
  assert.ok(running.has('other'));
});

test('two origins that stand still do not take all turns: a third has as many as are assured to it', async () => {
  const { running, wish, end } = world();
  for (const slow of ['slow', 'slower'])
    for (let file = 0; file < 20; file++)
      void wish(`${slow} ${file}`, `https://${slow}`, file % 2 === 0 ? small : null);
  await settled();
  assert.equal(running.size, turnLimits.total);
  for (let file = 0; file < 20; file++) void wish(`other ${file}`, 'https://other', small);
  const ofOther = () => [...running.keys()].filter((name) => name.startsWith('other'));
  for (let ended = 0; ended < 20; ended++) {
    await settled();
    assert.equal(ofOther().length, Math.min(turnLimits.assured, 20 - ended));
    end(ofOther()[0] as string);
  }
});

test('large files do not take all turns: small ones go past them', async () => {
  const { running, wish } = world();
  for (let file = 0; file < 10; file++) void wish(`large ${file}`, 'https://one', large);
  void wish('unknown', 'https://one', null);
  void wish('small', 'https://one', small);
  await settled();
  assert.deepEqual([...running.keys()], ['large 0', 'large 1', 'large 2', 'small']);
});

test('tells whether downloads of an origin wait for their turn', async () => {
  const { turns, wish, end } = world();
  for (let file = 0; file < turnLimits.perOrigin; file++) void wish(`one ${file}`, 'https://one', small);
  await settled();
  assert.equal(turns.isWaitedFor('https://one'), false);
  void wish('one more', 'https://one', small);
  assert.deepEqual(['https://one', 'https://other'].map(turns.isWaitedFor), [true, false]);
  end('one 0');
  assert.equal(turns.isWaitedFor('https://one'), false);
});

test('nobody starves: every wish gets its turn, whatever the others are, and no limit is passed', async () => {
  const wishes = fc.array(
    fc.record({ origin: fc.constantFrom('a', 'b', 'c'), sizeBytes: fc.constantFrom(small, large, null) }),
    { minLength: 1, maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(wishes, async (all) => {
      const { running, wish, end } = world();
      for (const [index, { origin, sizeBytes }] of all.entries()) void wish(`${origin} ${index}`, origin, sizeBytes);
      let served = 0;
      for (await settled(); running.size > 0; await settled()) {
        assert.ok(running.size <= turnLimits.total + 2 * turnLimits.assured);
        for (const origin of ['a', 'b', 'c'])
          assert.ok([...running.keys()].filter((name) => name.startsWith(origin)).length <= turnLimits.perOrigin);
        const [first = ''] = running.keys();
        end(first);
        served++;
      }
      assert.equal(served, all.length);
    }),
    { numRuns: 200 },
  );
});

test('who gives up waiting takes no turn, and a turn that is given back twice is one', async () => {
  const { turns, running, wish, end } = world();
  for (let file = 0; file < 4; file++) void wish(`first ${file}`, 'https://one', small);
  await settled();
  const gone = new AbortController();
  const waiting = turns.take({ origin: 'https://one', sizeBytes: small }, gone.signal);
  gone.abort(new Error('over'));
  await assert.rejects(waiting, { message: 'over' });
  await assert.rejects(turns.take({ origin: 'https://one', sizeBytes: small }, gone.signal));
  void wish('second', 'https://one', small);
  void wish('third', 'https://one', small);
  const giveBack = running.get('first 0');
  end('first 0');
  giveBack?.();
  await settled();
  assert.deepEqual([...running.keys()], ['first 1', 'first 2', 'first 3', 'second']);
});

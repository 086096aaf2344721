import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type TestContext, test } from 'node:test';
import { createPoke, oneAtATime, waitFor } from '../../../electron/assembly/waiting.ts';

const forEver = 2 ** 40;
const { signal: never } = new AbortController();
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a wait of more than 2³¹ ms does not pass at once', async () => {
  const end = new AbortController();
  const waiting = waitFor(forEver, end.signal);
  const first = await Promise.race([waiting.then(() => 'passed'), waitFor(20, never).then(() => 'still waiting')]);
  end.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal(first, 'still waiting');
});

test('an abort ends a wait by an exception, before it and within it', async () => {
  const end = new AbortController();
  const poke = createPoke();
  const waiting = poke.wait(forEver, end.signal);
  end.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await assert.rejects(poke.wait(forEver, end.signal), { name: 'AbortError' });
  await assert.rejects(waitFor(forEver, end.signal), { name: 'AbortError' });
});

test('a poke ends the running wait, and only that one', async () => {
  const poke = createPoke();
  const waiting = poke.wait(forEver, never);
  poke.poke();
  assert.equal(await waiting, 'poked');
  assert.equal(await poke.wait(1, never), 'elapsed');
});

test('a poke while nobody waits ends the next wait; several are one', async () => {
  const poke = createPoke();
  poke.poke();
  poke.poke();
  assert.equal(await poke.wait(forEver, never), 'poked');
  assert.equal(await poke.wait(1, never), 'elapsed');
});

test('a nudge ends the running wait, and is nothing to the next one', async () => {
  const poke = createPoke();
  poke.nudge();
  assert.equal(await poke.wait(1, never), 'elapsed');
  const waiting = poke.wait(forEver, never);
  poke.nudge();
  assert.equal(await waiting, 'poked');
});

test('a poke after an abort is not lost on the next wait', async () => {
  const poke = createPoke();
  const end = new AbortController();
  const waiting = poke.wait(forEver, end.signal);
  end.abort();
  await assert.rejects(waiting);
  poke.poke();
  assert.equal(await poke.wait(forEver, never), 'poked');
});

test('a poke in the instant of an abort is for the next wait', async () => {
  for (const pokesFirst of [true, false]) {
    const poke = createPoke();
    const end = new AbortController();
    const waiting = poke.wait(forEver, end.signal);
    if (pokesFirst) poke.poke();
    end.abort();
    if (!pokesFirst) poke.poke();
    const ended = await waiting.catch(() => 'aborted');
    if (ended === 'aborted') assert.equal(await poke.wait(1_000, never), 'poked');
    assert.equal(await poke.wait(1, never), 'elapsed');
  }
});

/** Runs the timers second by second; what each sets off is done before the next. */
async function pass(test: TestContext, seconds: number, second: () => void): Promise<void> {
  for (let passed = 0; passed < seconds; passed++) {
    await settled();
    second();
    test.mock.timers.tick(1_000);
  }
  await settled();
}

test('a hold outlasts the time of a wait, and pokes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const poke = createPoke(() => nowMs);
  const done: string[] = [];
  const wait = async (ms: number) => void done.push(`${await poke.wait(ms, never)} at ${nowMs}`);
  poke.hold(10_000);
  const waiting = [wait(2_000)];
  await pass(t, 12, () => (nowMs += 1_000));
  poke.hold(10_000);
  poke.poke();
  waiting.push(wait(forEver));
  await pass(t, 5, () => (nowMs += 1_000));
  poke.poke();
  await pass(t, 10, () => (nowMs += 1_000));
  await Promise.all(waiting);
  assert.deepEqual(done, ['elapsed at 10000', 'poked at 22000']);
});

test('the end of a hold lets a wait go that was poked meanwhile, and no other', async () => {
  const poke = createPoke(() => 0);
  poke.hold(forEver);
  const waiting = poke.wait(1, never);
  poke.poke();
  poke.hold(0);
  assert.equal(await waiting, 'poked');
  const end = new AbortController();
  const unpoked = poke.wait(1, end.signal);
  poke.hold(0);
  const first = await Promise.race([unpoked, settled().then(() => 'still waiting')]);
  assert.equal(first, 'still waiting');
  end.abort();
  await assert.rejects(unpoked);
});

test('a poke that a hold kept back is not lost when the wait is aborted', async () => {
  const poke = createPoke();
  const end = new AbortController();
  poke.hold(forEver);
  const waiting = poke.wait(1, end.signal);
  poke.poke();
  end.abort();
  await assert.rejects(waiting);
  poke.hold(0);
  assert.equal(await poke.wait(forEver, never), 'poked');
});

test('waits leave nothing behind on a signal that outlives them', async () => {
  const { signal } = new AbortController();
  const poke = createPoke();
  for (let count = 0; count < 50; count++) {
    const waiting = poke.wait(forEver, signal);
    poke.poke();
    await waiting;
    await poke.wait(0, signal);
  }
  // What Node.js keeps on a signal of those that depend on it, beside the listeners: sets without a constructor.
  const kept = Object.getOwnPropertySymbols(signal).map((key) => (signal as unknown as Record<symbol, unknown>)[key]);
  const dependent = kept.reduce<number>((sum, value) => sum + ((value as Set<unknown> | undefined)?.size ?? 0), 0);
  assert.deepEqual([getEventListeners(signal, 'abort').length, dependent], [0, 0]);
});

test('one piece of work begins when the one before has ended, also by a failure', async () => {
  const inTurn = oneAtATime();
  const done: string[] = [];
  const piece = (name: string) => async () => {
    done.push(`${name} begins`);
    await waitFor(1, new AbortController().signal);
    done.push(`${name} ends`);
    if (name === 'a') throw new Error(name);
    return name;
  };
  const [a, b] = await Promise.allSettled([inTurn(piece('a')), inTurn(piece('b'))]);
  assert.deepEqual(done, ['a begins', 'a ends', 'b begins', 'b ends']);
  assert.deepEqual([a.status, b], ['rejected', { status: 'fulfilled', value: 'b' }]);
});

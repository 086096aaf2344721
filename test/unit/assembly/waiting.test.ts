import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createPoke, waitFor, within } from '../../../electron/assembly/waiting.ts';

const forEver = 2 ** 40;
const { signal: never } = new AbortController();

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

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

test('work that takes too long ends with a time-out, also when the garbage was collected meanwhile', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const working = within(200, never, untilAborted);
  await waitFor(10, never);
  collectGarbage();
  const patience = new AbortController();
  await assert.rejects(Promise.race([working, waitFor(10_000, patience.signal)]), { name: 'TimeoutError' });
  patience.abort();
});

test('work in time ends with the signal’s own reason, and leaves no timer behind when it is done', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const end = new AbortController();
  const working = within(2 ** 30, end.signal, untilAborted);
  assert.equal(timers(), before + 1);
  const over = new Error('the session is over');
  end.abort(over);
  await assert.rejects(working, over);
  assert.equal(await within(2 ** 30, never, async () => 7), 7);
  assert.equal(timers(), before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPoke, waitFor } from '../../../electron/assembly/waiting.ts';

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

test('a poke after an abort is not lost on the next wait', async () => {
  const poke = createPoke();
  const end = new AbortController();
  const waiting = poke.wait(forEver, end.signal);
  end.abort();
  await assert.rejects(waiting);
  poke.poke();
  assert.equal(await poke.wait(forEver, never), 'poked');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperatorView, Overview } from '../../../electron/ipc/contract.ts';
import { createDesk } from '../../../electron/operator/desk.ts';

const overview = { state: 'playing' } as Overview;

/** A desk with a clock that a test moves; what is awaited between steps has settled when `pass` resolves. */
function desk(rightPin = '271828') {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  const views: OperatorView[] = [];
  const log: string[] = [];
  let looked = 0;
  const made = createDesk({
    isPin: async (pin) => {
      looked += 1;
      if (pin === '666666') throw new Error('unusable');
      return pin === rightPin;
    },
    overview: async () => overview,
    show: (view) => views.push(view),
    monotonicMs: () => nowMs,
    now: () => nowMs,
    after: (ms, callback) => {
      const timer = { atMs: nowMs + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    log: { info: (event) => log.push(event), warn: (event) => log.push(event), failure: (event) => log.push(event) },
  });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const pass = async (ms: number) => {
    const endMs = nowMs + ms;
    await settle();
    for (;;) {
      const [due] = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      timers = timers.filter((other) => other !== due);
      nowMs = due.atMs;
      due.callback();
      await settle();
    }
    nowMs = endMs;
  };
  const enter = async (pin: string) => {
    const entered = made.enter(pin);
    await pass(700);
    await entered;
  };
  return { made, views, log, pass, enter, looked: () => looked, last: () => views.at(-1) };
}

test('a PIN before the chord is not looked at', async () => {
  const { enter, views, looked } = desk();
  await enter('271828');
  assert.deepEqual([views, looked()], [[], 0]);
});

test('a wrong PIN, one that comes too soon and one that cannot be judged look alike', async () => {
  const { made, enter, last } = desk();
  made.chord();
  for (const [attempts, pin] of ['000000', '666666', '111111', '271828'].entries()) {
    await enter(pin);
    const view = last();
    assert.equal(view?.state, 'asking');
    assert.equal(view?.state === 'asking' && view.attempts, attempts + 1);
  }
});

test('after three refusals not even the right PIN is looked at until the wait is over', async () => {
  const { made, enter, pass, last, looked, log } = desk();
  made.chord();
  for (let attempt = 0; attempt < 3; attempt += 1) await enter('000000');
  await enter('271828');
  assert.equal(looked(), 3);
  assert.equal(last()?.state, 'asking');
  await pass(5_000);
  await enter('271828');
  assert.equal(last()?.state, 'open');
  assert.deepEqual(log, ['operator-asked', ...Array(3).fill('operator-pin-refused'), 'operator-entered']);
});

test('leaving and coming back does not shorten the wait', async () => {
  const { made, enter, looked } = desk();
  made.chord();
  for (let attempt = 0; attempt < 3; attempt += 1) await enter('000000');
  made.leave();
  made.chord();
  await enter('271828');
  assert.equal(looked(), 3);
});

test('a second PIN while one is judged is not looked at', async () => {
  const { made, pass, looked } = desk();
  made.chord();
  void made.enter('000000');
  void made.enter('271828');
  await pass(700);
  assert.equal(looked(), 1);
});

test('leaves by itself: 30 s after the last key of a PIN, 90 s after the last key of an open overlay', async () => {
  const { made, enter, pass, last } = desk();
  made.chord();
  await pass(20_000);
  made.key();
  await pass(29_000);
  assert.equal(last()?.state, 'asking');
  await pass(1_000);
  assert.equal(last()?.state, 'closed');
  made.chord();
  await enter('271828');
  await pass(80_000);
  made.key();
  await pass(89_000);
  assert.equal(last()?.state, 'open');
  await pass(2_000);
  assert.equal(last()?.state, 'closed');
});

test('leaves on Escape and on the chord, and tells nothing afterwards', async () => {
  const { made, enter, pass, views, last } = desk();
  made.chord();
  await enter('271828');
  made.leave();
  const told = views.length;
  await pass(5_000);
  assert.equal(last()?.state, 'closed');
  assert.equal(views.length, told);
  made.chord();
  made.chord();
  assert.equal(last()?.state, 'closed');
});

test('a PIN that is accepted after the overlay has been left opens nothing', async () => {
  const { made, pass, last } = desk();
  made.chord();
  void made.enter('271828');
  made.leave();
  await pass(1_000);
  assert.equal(last()?.state, 'closed');
});

test('an open overlay is told anew every second', async () => {
  const { made, enter, pass, views } = desk();
  made.chord();
  await enter('271828');
  const told = views.length;
  await pass(3_000);
  assert.equal(views.length, told + 3);
});

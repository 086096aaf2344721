import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  startWatch,
  type Watch,
  type WatchEffect,
  type WatchHappening,
  watch,
} from '../../../electron/shell/watchdog.ts';

const tick: WatchHappening = { type: 'ticked' };
const gone: WatchHappening = { type: 'gone' };
const beat = (frames: number): WatchHappening => ({ type: 'beaten', frames });

/** Plays happenings at their instants; what is done to the page comes out. */
function play(happenings: readonly (readonly [atMs: number, happening: WatchHappening])[], from = startWatch(0)) {
  let state: Watch = from;
  const effects: [number, WatchEffect][] = [];
  for (const [atMs, happening] of happenings) {
    const { next, effect } = watch(state, happening, atMs);
    state = next;
    if (effect !== null) effects.push([atMs, effect]);
  }
  return { state, effects };
}

const rows: readonly [
  name: string,
  happenings: readonly (readonly [number, WatchHappening])[],
  effects: readonly (readonly [number, WatchEffect])[],
][] = [
  ['a page that loads slowly is given 15 s', [[15_000, tick]], []],
  [
    'a page that never comes up is killed',
    [
      [15_000, tick],
      [15_001, tick],
    ],
    [[15_001, 'kill']],
  ],
  [
    'a page that beats and paints is left alone',
    [
      [0, beat(0)],
      [3_000, beat(1)],
      [6_000, beat(2)],
      [9_000, tick],
    ],
    [],
  ],
  [
    'a page that has fallen silent for 3 s is killed',
    [
      [0, beat(0)],
      [3_000, tick],
      [3_001, tick],
    ],
    [[3_001, 'kill']],
  ],
  [
    'a page is not killed for a time in which not even the watchdog ran',
    [
      [0, beat(0)],
      [9_000, { type: 'ticked', lateMs: 8_500 }],
      [11_500, tick],
      [11_501, tick],
    ],
    [[11_501, 'kill']],
  ],
  [
    'a page that beats and paints nothing is killed',
    [
      [0, beat(9)],
      [1_500, beat(9)],
      [3_000, beat(9)],
      [3_001, tick],
    ],
    [[3_001, 'kill']],
  ],
  [
    'a count of frames that starts anew is a sign of life',
    [
      [0, beat(900)],
      [3_000, beat(1)],
      [6_000, tick],
    ],
    [],
  ],
  [
    'no reload before the killed page is gone',
    [
      [15_001, tick],
      [15_500, tick],
      [15_600, gone],
    ],
    [
      [15_001, 'kill'],
      [15_600, 'reload'],
    ],
  ],
  [
    'a killed page is not killed twice',
    [
      [15_001, tick],
      [18_001, tick],
    ],
    [[15_001, 'kill']],
  ],
  [
    'a page whose end is never reported is reloaded all the same',
    [
      [15_001, tick],
      [18_002, tick],
    ],
    [
      [15_001, 'kill'],
      [18_002, 'reload'],
    ],
  ],
  [
    'a late beat does not bring back a killed page',
    [
      [15_001, tick],
      [15_002, beat(1)],
      [18_002, tick],
    ],
    [
      [15_001, 'kill'],
      [18_002, 'reload'],
    ],
  ],
  [
    'a crash is answered at once',
    [
      [5, beat(1)],
      [10, gone],
    ],
    [[10, 'reload']],
  ],
  ['a page that cannot be loaded is loaded again', [[5, { type: 'load-failed' }]], [[5, 'reload']]],
  [
    'after a reload the page has 15 s again',
    [
      [10, gone],
      [15_010, tick],
      [15_011, tick],
    ],
    [
      [10, 'reload'],
      [15_011, 'kill'],
    ],
  ],
];

for (const [name, happenings, effects] of rows) test(name, () => assert.deepEqual(play(happenings).effects, effects));

test('lives that are long enough are followed by the next at once: three reloads a minute, then new windows', () => {
  const deaths = Array.from({ length: 20 }, (_, at) => at * 3_000).flatMap((atMs) => [
    [atMs, beat(1)] as const,
    [atMs + 2_500, gone] as const,
  ]);
  const { effects } = play(deaths);
  assert.deepEqual(
    effects.map(([atMs]) => atMs),
    Array.from({ length: 20 }, (_, at) => at * 3_000 + 2_500),
  );
  assert.deepEqual(
    effects.map(([, effect]) => effect),
    [...Array(3).fill('reload'), ...Array(17).fill('recreate')],
  );
});

test('lives that are short are followed by ever longer waits, and the ninth in a row by the end', () => {
  let state = startWatch(0);
  const answers: string[] = [];
  let diedMs = 0;
  for (let atMs = 0; atMs < 120_000 && answers.at(-1)?.endsWith('exit') !== true; atMs += 50) {
    if (state.state === 'loading') {
      state = watch(state, beat(1), atMs).next;
      const { next, effect } = watch(state, gone, atMs + 10);
      diedMs = atMs + 10;
      if (effect !== null) answers.push(`0 ${effect}`);
      state = next;
      continue;
    }
    const { next, effect } = watch(state, tick, atMs);
    if (effect !== null) answers.push(`${Math.floor((atMs - diedMs) / 50) * 50} ${effect}`);
    state = next;
  }
  assert.deepEqual(answers, [
    ...['0 reload', '250 reload', '500 reload', '1000 recreate', '2000 recreate', '4000 recreate', '8000 recreate'],
    ...['8000 recreate', '8000 recreate', '0 exit'],
  ]);
});

test('a page that dies over and over makes the player leave, even if each life is long enough', () => {
  const deaths = Array.from({ length: 41 }, (_, at) => at * 3_000).flatMap((atMs) => [
    [atMs, beat(1)] as const,
    [atMs + 2_500, gone] as const,
  ]);
  assert.equal(play(deaths).effects.at(-1)?.[1], 'exit');
});

test('a hang is a long life, too: the page that was killed for it comes back at once', () => {
  const { effects } = play([
    [0, gone],
    [10, beat(1)],
    [5_000, tick],
    [5_050, gone],
  ]);
  assert.deepEqual(effects, [
    [0, 'reload'],
    [5_000, 'kill'],
    [5_050, 'reload'],
  ]);
});

test('says why, also where the restart comes after a wait', () => {
  let state = startWatch(0);
  const reasons: string[] = [];
  const tell = (atMs: number, happening: WatchHappening) => {
    const { next, effect, because } = watch(state, happening, atMs);
    state = next;
    if (effect !== null) reasons.push(`${atMs} ${effect} ${because}`);
  };
  tell(0, gone);
  tell(10, { type: 'load-failed' });
  tell(260, tick);
  tell(300, beat(1));
  tell(3_301, tick);
  tell(3_310, gone);
  assert.deepEqual(reasons, ['0 reload gone', '260 reload load-failed', '3301 kill silent', '3310 reload gone']);
});

test('nothing that comes late shortens a wait', () => {
  const { effects } = play([
    [0, gone],
    [10, gone],
    [20, gone],
    [30, beat(1)],
    [255, tick],
    [260, tick],
  ]);
  assert.deepEqual(effects, [
    [0, 'reload'],
    [260, 'reload'],
  ]);
});

test('crashes that are minutes apart are reloads for ever, and nothing piles up', () => {
  const crashes = Array.from({ length: 1_000 }, (_, index) => [index * 300_000, gone] as const);
  const { state, effects } = play(crashes);
  assert.equal(effects.length, 1_000);
  assert.ok(effects.every(([, effect]) => effect === 'reload'));
  assert.equal(state.deaths.atMs.length, 1);
});

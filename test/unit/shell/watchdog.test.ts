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

test('three reloads a minute, then three new windows, then the player leaves', () => {
  const crashes = [1, 2, 3, 4, 5, 6, 7].map((atMs) => [atMs, gone] as const);
  assert.deepEqual(
    play(crashes).effects.map(([, effect]) => effect),
    ['reload', 'reload', 'reload', 'recreate', 'recreate', 'recreate', 'exit'],
  );
});

test('a page that beats between two crashes does not get round the limit', () => {
  const crashes = [1, 2, 3, 4].flatMap((atMs) => [[atMs * 100, beat(atMs)] as const, [atMs * 100 + 1, gone] as const]);
  assert.equal(play(crashes).effects.at(-1)?.[1], 'recreate');
});

test('crashes that are a minute apart are reloads for ever, and nothing piles up', () => {
  const crashes = Array.from({ length: 1_000 }, (_, index) => [index * 60_000, gone] as const);
  const { state, effects } = play(crashes);
  assert.ok(effects.every(([, effect]) => effect === 'reload'));
  assert.equal(state.restartsMs.length, 1);
});

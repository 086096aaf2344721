import assert from 'node:assert/strict';
import test from 'node:test';
import type { Program, ProgramItem } from '../../../electron/ipc/contract.ts';
import type { Effect, Happening, Playback } from '../../../renderer/playback.ts';
import { backOffMs, idle, leavingMs, overdueMs, step, withdrawnGraceMs } from '../../../renderer/playback.ts';

function item(itemId: string, changes: Partial<ProgramItem> = {}): ProgramItem {
  const source = `player://media/${itemId}`;
  const defaults = { title: itemId, durationSeconds: 1, fit: 'cover', transition: 'cut' } as const;
  return { itemId, kind: 'image', source, ...defaults, ...changes };
}

const web = (itemId: string) => item(itemId, { kind: 'web', source: null });

const program = (programId: string, ...items: (ProgramItem | string)[]): Program => ({
  programId,
  items: items.map((one) => (typeof one === 'string' ? item(one) : one)),
});

/** An effect as a short line, so that a run of them reads as a story. */
function line(effect: Effect): string {
  switch (effect.type) {
    case 'report': {
      const { outcome, itemId, reason } = effect.report;
      return [outcome, itemId, reason].filter(Boolean).join(' ');
    }
    case 'wait':
      return `wait ${effect.ms}`;
    case 'reveal':
      return `reveal ${effect.play.item.itemId}@${effect.play.surface} over ${effect.outgoing?.item.itemId ?? 'screen'}`;
    case 'remind':
      return `${effect.of} ${effect.play.item.itemId} ${effect.ms}`;
    default:
      return `${effect.type} ${effect.play.item.itemId}@${effect.play.surface}`;
  }
}

/** What may happen, without the numbers of plays: those are filled in with the present ones. */
type Move =
  | Program
  | null
  | 'prepared'
  | 'refused'
  | 'presented'
  | 'settled'
  | 'elapsed'
  | 'stalled'
  | 'late'
  | 'again'
  | 'overdue'
  | 'withdrawn'
  | 'retry-due';

function happeningOf(from: Playback, move: Move): Happening {
  if (move === null || typeof move === 'object') return { type: 'program-changed', program: move };
  const [upcoming, shown] = [from.upcoming?.play ?? -1, from.shown?.play ?? -1];
  if (move === 'prepared') return { type: move, play: upcoming };
  if (move === 'refused') return { type: move, play: upcoming, reason: 'decode' };
  if (move === 'retry-due') return { type: move, retry: from.retry ?? -1 };
  return { type: move, play: shown, beyondMs: 0 };
}

/** Plays the moves from `from` and returns where that leads and the effects of the last move. */
function run(from: Playback, ...moves: Move[]): { state: Playback; story: string[] } {
  let state = from;
  let story: string[] = [];
  for (const move of moves) {
    const { next, effects } = step(state, happeningOf(state, move));
    state = next;
    story = effects.map(line);
  }
  return { state, story };
}

const begun = ['prepared', 'presented', 'settled'] as const;
/** Ready, and then not any more. */
const lost = ['prepared', 'refused'] as const;
const abc = program('p', 'a', 'b', 'c');

for (const { behaviour, moves, story } of [
  { behaviour: 'prepares the first item before anything shows', moves: [abc], story: ['prepare a@0'] },
  { behaviour: 'reveals over a screen as soon as ready', moves: [abc, 'prepared'], story: ['reveal a@0 over screen'] },
  { behaviour: 'reports an item when it is presented', moves: [abc, 'prepared', 'presented'], story: ['shown a'] },
  { behaviour: 'does not report an item twice', moves: [abc, 'prepared', 'presented', 'presented'], story: [] },
  { behaviour: 'keeps the other surface until the reveal has settled', moves: [abc, ...begun], story: ['prepare b@1'] },
  { behaviour: 'keeps an item for its time though the next is ready', moves: [abc, ...begun, 'prepared'], story: [] },
  {
    behaviour: 'holds an item past its time until the next is ready, for a second and a half at most',
    moves: [abc, ...begun, 'elapsed'],
    story: ['late a 900', 'again a 1250', 'overdue a 1500'],
  },
  {
    behaviour: 'passes over an item that holds up the others',
    moves: [abc, ...begun, 'elapsed', 'late'],
    story: ['discard b@1', 'failed b deadline', 'prepare c@1'],
  },
  {
    behaviour: 'shows the one after it as soon as that is ready',
    moves: [abc, ...begun, 'elapsed', 'late', 'prepared'],
    story: ['reveal c@1 over a'],
  },
  {
    behaviour: 'leaves for the screen when nothing gets ready in time, and goes on with the next',
    moves: [abc, ...begun, 'elapsed', 'late', 'overdue'],
    story: ['discard c@1', 'failed c deadline', 'leave a@0', 'prepare a@1'],
  },
  {
    behaviour: 'prepares the shown item anew when two others hang: rather twice what is good than a screen',
    moves: [abc, ...begun, 'elapsed', 'late', 'again'],
    story: ['discard c@1', 'failed c deadline', 'prepare a@1'],
  },
  {
    behaviour: 'shows it again before it would be overdue, and goes on with the one behind those that hung',
    moves: [program('p', 'a', 'b', 'c', 'd'), ...begun, 'elapsed', 'late', 'again', 'prepared', 'presented', 'settled'],
    story: ['prepare d@0'],
  },
  {
    behaviour: 'keeps preparing it though the screen comes between',
    moves: [abc, ...begun, 'elapsed', 'late', 'again', 'overdue'],
    story: ['leave a@0'],
  },
  {
    behaviour: 'shows an item no second time when the program has it no more',
    moves: [abc, ...begun, program('q', 'b', 'c'), 'elapsed', 'late', 'again'],
    story: [],
  },
  {
    behaviour: 'passes over nothing twice: a whole round that hangs leaves for the screen and waits',
    moves: [program('p', 'a', 'b'), ...begun, 'refused', 'elapsed', 'late'],
    story: ['discard a@1', 'failed a deadline', 'wait 2000', 'leave a@0'],
  },
  {
    behaviour: 'does not pass over an item that got ready just in time',
    moves: [abc, ...begun, 'elapsed', 'prepared', 'late'],
    story: [],
  },
  {
    behaviour: 'gives a stalled item no second of grace',
    moves: [abc, ...begun, 'stalled'],
    story: ['failed a stalled', 'late a 0', 'again a 350', 'overdue a 600'],
  },
  { behaviour: 'takes the end of an item once', moves: [abc, ...begun, 'elapsed', 'elapsed'], story: [] },
  {
    behaviour: 'reveals the next one when the time is up',
    moves: [abc, ...begun, 'prepared', 'elapsed'],
    story: ['reveal b@1 over a'],
  },
  {
    behaviour: 'reveals the next one when it gets ready late',
    moves: [abc, ...begun, 'elapsed', 'prepared'],
    story: ['reveal b@1 over a'],
  },
  {
    behaviour: 'reports a stalled item and goes on',
    moves: [abc, ...begun, 'prepared', 'stalled'],
    story: ['failed a stalled', 'reveal b@1 over a'],
  },
  {
    behaviour: 'goes on when an item stalls before its first frame',
    moves: [abc, 'prepared', 'stalled', 'settled', 'prepared'],
    story: ['reveal b@1 over a'],
  },
  {
    behaviour: 'begins again after the last item',
    moves: [program('p', 'a', 'b'), ...begun, 'prepared', 'elapsed', 'presented', 'settled'],
    story: ['prepare a@0'],
  },
  {
    behaviour: 'plays a single item in turn on both surfaces',
    moves: [program('p', 'a'), ...begun, 'prepared', 'elapsed'],
    story: ['reveal a@1 over a'],
  },
  {
    behaviour: 'skips and reports what is refused',
    moves: [abc, 'refused'],
    story: ['failed a decode', 'prepare b@0'],
  },
  {
    behaviour: 'has a web page prepared, which has no source',
    moves: [program('p', web('w'), 'b')],
    story: ['prepare w@0'],
  },
  {
    behaviour: 'skips and reports an image without a source',
    moves: [program('p', item('n', { source: null }), 'b')],
    story: ['skipped n no-source', 'prepare b@0'],
  },
  {
    behaviour: 'waits when the only web page of a program is refused',
    moves: [program('p', web('w')), 'refused'],
    story: ['failed w decode', 'wait 2000'],
  },
  { behaviour: 'waits when a program is empty', moves: [program('p')], story: ['wait 2000'] },
  {
    behaviour: 'waits after a round without success',
    moves: [program('p', 'a', 'b'), 'refused', 'refused'],
    story: ['failed b decode', 'wait 2000'],
  },
  {
    behaviour: 'waits longer after the second such round',
    moves: [program('p', 'a'), 'refused', 'retry-due', 'refused'],
    story: ['failed a decode', 'wait 4000'],
  },
  {
    behaviour: 'keeps what is shown for its time while the rest of its program fails',
    moves: [program('p', 'a', 'b'), ...begun, 'refused', 'refused'],
    story: ['failed a decode', 'wait 2000'],
  },
  {
    behaviour: 'leaves for the screen when its time is up and nothing else can be shown',
    moves: [program('p', 'a', 'b'), ...begun, 'refused', 'refused', 'elapsed'],
    story: ['leave a@0'],
  },
  {
    behaviour: 'leaves for the screen when the last hope fails after the time',
    moves: [program('p', 'a'), ...begun, 'elapsed', 'refused'],
    story: ['failed a decode', 'wait 2000', 'leave a@0'],
  },
  {
    behaviour: 'prepares an item once more that is lost while it waits',
    moves: [abc, ...begun, ...lost],
    story: ['failed b decode', 'prepare b@1'],
  },
  {
    behaviour: 'shows it in its turn when it is ready again by then',
    moves: [abc, ...begun, ...lost, 'prepared', 'elapsed'],
    story: ['reveal b@1 over a'],
  },
  {
    behaviour: 'prepares it once more in every round',
    moves: [
      ...([program('p', 'a', 'b'), ...begun, ...lost, 'prepared', 'elapsed', 'presented', 'settled'] as const),
      ...(['prepared', 'elapsed', 'presented', 'settled', ...lost] as const),
    ],
    story: ['failed b decode', 'prepare b@1'],
  },
  {
    behaviour: 'gives its turn to the one behind it when an item is lost twice while it waits',
    moves: [abc, ...begun, ...lost, ...lost],
    story: ['failed b decode', 'prepare c@1'],
  },
  {
    behaviour: 'gives its turn to the one behind it when an item that was lost cannot be prepared again',
    moves: [abc, ...begun, ...lost, 'refused'],
    story: ['failed b decode', 'prepare c@1'],
  },
  {
    behaviour: 'waits when all of a program is lost twice while it waits, though each was ready',
    moves: [program('p', 'a', 'b'), ...begun, ...lost, ...lost, ...lost, ...lost],
    story: ['failed a decode', 'wait 2000'],
  },
  { behaviour: 'takes no program twice', moves: [abc, program('p', 'x')], story: [] },
  {
    behaviour: 'leaves and lets go when there is no program any more',
    moves: [abc, ...begun, null],
    story: ['discard b@1', 'leave a@0'],
  },
  {
    behaviour: 'limits an item that a new program does not hold',
    moves: [abc, ...begun, program('q', 'x')],
    story: ['discard b@1', `withdrawn a ${withdrawnGraceMs}`, 'prepare x@1'],
  },
  {
    behaviour: 'ends the time of an item that is still withdrawn after the grace',
    moves: [abc, ...begun, program('q', 'x'), 'prepared', 'withdrawn'],
    story: ['reveal x@1 over a'],
  },
  {
    behaviour: 'leaves an item its time that was withdrawn and put back',
    moves: [abc, ...begun, program('q', 'x'), program('r', 'a', 'x'), 'prepared', 'withdrawn'],
    story: [],
  },
  {
    behaviour: 'goes on behind the shown item when a new program still holds it',
    moves: [abc, ...begun, program('q', 'x', 'a', 'y')],
    story: ['discard b@1', 'prepare y@1'],
  },
  {
    behaviour: 'does not take a surface for a new program before the reveal has settled',
    moves: [abc, 'prepared', program('q', 'x', 'a', 'y')],
    story: [],
  },
  {
    behaviour: 'tries a new program at once while waiting for an old one',
    moves: [program('p', 'a'), 'refused', program('q', 'x')],
    story: ['prepare x@0'],
  },
  {
    behaviour: 'prepares on the surface that is not fading when playing begins again',
    moves: [abc, ...begun, null, abc],
    story: ['prepare a@1'],
  },
] satisfies { behaviour: string; moves: Move[]; story: string[] }[]) {
  test(behaviour, () => {
    assert.deepEqual(run(idle, ...moves).story, story);
  });
}

test('ignores what comes late from an earlier play', () => {
  const { state } = run(idle, abc, ...begun, 'prepared', 'elapsed');
  for (const type of ['prepared', 'presented', 'settled', 'elapsed', 'stalled', 'late', 'overdue'] as const) {
    assert.deepEqual(step(state, { type, play: 1, beyondMs: 0 }), { next: state, effects: [] });
  }
  assert.deepEqual(step(state, { type: 'refused', play: 1, reason: 'decode' }), { next: state, effects: [] });
  assert.deepEqual(step(state, { type: 'retry-due', retry: 1 }), { next: state, effects: [] });
});

test('counts what an item has stayed beyond its time already against the chances of the next', () => {
  const { state } = run(idle, abc, ...begun);
  const story = (beyondMs: number) =>
    step(state, { type: 'elapsed', play: state.shown?.play ?? -1, beyondMs }).effects.map(line);
  assert.deepEqual(story(600), ['late a 300', 'again a 650', 'overdue a 900']);
  assert.deepEqual(story(1300), ['late a 0', 'again a 0', 'overdue a 200']);
});

test('an item is gone well within two seconds of its time, the fade included', () => {
  assert.ok(overdueMs + leavingMs <= 1800);
});

test('starts the back-off anew once something has been prepared', () => {
  const { state } = run(idle, program('p', 'a'), 'refused', 'retry-due', 'refused', 'retry-due', 'prepared');
  assert.equal(state.emptyRounds, 0);
});

test('backs off from two seconds to one minute and no further', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 5000].map(backOffMs), [
    ...[2000, 4000, 8000, 16_000, 32_000],
    ...[60_000, 60_000, 60_000],
  ]);
});

test('whatever happens, the two surfaces never hold the same play and a shown item is never prepared over', () => {
  const moves: Move[] = [
    ...(['prepared', 'refused', 'presented', 'settled', 'elapsed', 'stalled', 'late', 'again'] as const),
    ...(['overdue', 'withdrawn', 'retry-due'] as const),
    ...[null, abc, program('q', 'x')],
  ];
  // A fixed walk through the moves in ever different order: a linear congruential generator (Numerical Recipes).
  let seed = 1;
  let state: Playback = idle;
  for (let count = 0; count < 20_000; count += 1) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const move = moves[(seed >>> 16) % moves.length] as Move;
    const { next, effects } = step(state, happeningOf(state, move));
    for (const effect of effects) {
      if (effect.type === 'prepare') assert.notEqual(effect.play.surface, next.shown?.surface);
    }
    assert.ok(next.upcoming === null || next.upcoming.surface !== next.shown?.surface);
    state = next;
  }
});

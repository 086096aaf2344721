import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { timetable } from '../../../electron/schedule/timetable.ts';
import { wallClock } from '../../support/schedule-wall-clock.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

const entry = (id: string, predicate: string, more: { priority?: boolean; isEnabled?: boolean } = {}) => ({
  id,
  predicate,
  priority: more.priority ?? false,
  isEnabled: more.isEnabled ?? true,
});

const ids = (playlists: readonly { id: string }[]) => playlists.map(({ id }) => id);
const at = (text: string) => Date.parse(text);
const next = (predicate: string, zone: string, from: string) => {
  const { nextChangeMs } = timetable([entry('a', predicate)], zone, at(from));
  return nextChangeMs === null ? null : new Date(nextChangeMs).toISOString();
};

describe('timetable', () => {
  it('reports a playlist whose predicate is wrong and plays the others', () => {
    const result = timetable([entry('bad', '$HOUR = 3'), entry('good', 'TRUE')], 'UTC', 0);
    assert.deepEqual(ids(result.playing), ['good']);
    assert.deepEqual(
      result.problems.map(({ code, playlistId, position }) => ({ code, playlistId, position })),
      [{ code: 'PREDICATE_INVALID', playlistId: 'bad', position: 0 }],
    );
  });

  it('plays no disabled playlist', () => {
    const result = timetable([entry('off', 'TRUE', { isEnabled: false })], 'UTC', 0);
    assert.deepEqual([result.playing, result.nextChangeMs], [[], null]);
  });

  it('plays all that match in document order, or those with priority alone', () => {
    const normal = [entry('b', 'TRUE'), entry('a', 'TRUE'), entry('never', 'FALSE')];
    assert.deepEqual(ids(timetable(normal, 'UTC', 0).playing), ['b', 'a']);
    const urgent = [...normal, entry('alarm', '$TIME < 1000', { priority: true })];
    assert.deepEqual(ids(timetable(urgent, 'UTC', 500).playing), ['alarm']);
    assert.deepEqual(ids(timetable(urgent, 'UTC', 1_000).playing), ['b', 'a']);
  });

  it('does not wake for what priority hides', () => {
    const playlists = [entry('hidden', '$TIME < 60000'), entry('alarm', '$TIME < 3600000', { priority: true })];
    assert.equal(timetable(playlists, 'UTC', 0).nextChangeMs, 3_600_000);
  });

  it('names the next change to the millisecond', () => {
    const table: readonly [predicate: string, zone: string, from: string, expected: string | null][] = [
      ['TRUE', 'UTC', '2026-01-01T00:00:00Z', null],
      ['$TIME <= 61200000', 'Europe/Berlin', '2026-07-01T10:00:00Z', '2026-07-01T15:00:00.001Z'],
      ['$WEEKDAY = 0', 'Asia/Tokyo', '2026-11-20T00:00:00Z', '2026-11-21T15:00:00.000Z'],
      ['$DATE >= 1790000000000', 'UTC', '2020-01-01T00:00:00Z', '2026-09-21T14:13:20.000Z'],
      ['$DATE >= 1790000000000 AND $WEEKDAY = 2', 'UTC', '2020-01-01T00:00:00Z', '2026-09-22T00:00:00.000Z'],
      // Spring forward: 02:00 never happens on 8 March, the reading leaps into the window's end.
      ['$TIME BETWEEN {7200000, 12600000}', 'America/New_York', '2026-03-08T06:30:00Z', '2026-03-08T07:00:00.000Z'],
      ['$TIME BETWEEN {7200000, 10799999}', 'America/New_York', '2026-03-08T06:30:00Z', '2026-03-09T06:00:00.000Z'],
      // Fall back: 01:30 comes twice, so that the window opens twice.
      ['$TIME >= 5400000 AND $TIME < 7200000', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:00:00.000Z'],
      ['$TIME >= 5400000 AND $TIME < 7200000', 'America/New_York', '2026-11-01T06:00:00Z', '2026-11-01T06:30:00.000Z'],
      // Midnight itself is skipped.
      ['$TIME < 3600000', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-05T02:00:00.000Z'],
      // A whole day is skipped: there was no Friday in Samoa.
      ['$WEEKDAY = 5', 'Pacific/Apia', '2011-12-29T12:00:00Z', '2012-01-05T10:00:00.000Z'],
      // Half an hour of daylight saving.
      ['$TIME >= 9000000', 'Australia/Lord_Howe', '2026-10-03T15:00:00Z', '2026-10-03T15:30:00.000Z'],
      // Past the last instant that a Date can hold.
      ['$DATE > 9007199254740990', 'UTC', '2026-01-01T00:00:00Z', null],
      ['$WEEKDAY = 9', 'UTC', '2026-01-01T00:00:00Z', null],
      ['$TIME = $WEEKDAY', 'UTC', '2026-11-20T12:00:00Z', '2026-11-21T00:00:00.006Z'],
      ['$DATE = $TIME', 'UTC', '1970-01-01T12:00:00Z', '1970-01-02T00:00:00.000Z'],
    ];
    for (const [predicate, zone, from, expected] of table)
      assert.equal(next(predicate, zone, from), expected, `${predicate} ${zone} ${from}`);
  });

  it('agrees with an independent clock, minute by minute, in many zones', () => {
    fc.assert(
      fc.property(situation(), ({ zone, fromMs, playlists }) => {
        const now = timetable(playlists, zone, fromMs);
        const read = wallClock(zone);
        const answer = (atMs: number) => reference(playlists, read(atMs), atMs);
        assert.deepEqual(ids(now.playing), answer(fromMs));
        const { nextChangeMs } = now;
        if (nextChangeMs !== null) {
          assert.ok(nextChangeMs > fromMs);
          assert.notDeepEqual(answer(nextChangeMs), answer(fromMs), 'it changes then');
          assert.deepEqual(answer(nextChangeMs - 1), answer(fromMs), 'and not before');
        }
        const untilMs = Math.min(nextChangeMs ?? Number.POSITIVE_INFINITY, fromMs + 2 * dayMs);
        for (let atMs = fromMs; atMs < untilMs; atMs += minuteMs) assert.deepEqual(answer(atMs), answer(fromMs));
      }),
      { numRuns: 250 },
    );
  });

  it('can do with 1,000 playlists', () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      entry(`p${index}`, `$WEEKDAY IN {1,2,3,4,5} AND $TIME BETWEEN {${index * 1_000}, ${index * 1_000 + 999}}`),
    );
    const from = at('2026-11-20T12:00:00Z'); // a Friday: nothing until Monday 0:00
    assert.deepEqual(timetable(many, 'UTC', from).nextChangeMs, at('2026-11-23T00:00:00Z'));
  });

  it('answers early rather than late to a document made to be slow', () => {
    const dates = Array.from({ length: 190 }, (_, index) => 1_800_000_000_000 + index * 40 * dayMs);
    const slow = Array.from({ length: 1_000 }, (_, index) =>
      entry(`p${index}`, `$WEEKDAY = 9 AND $TIME = 5 AND $DATE IN {${dates.map((date) => date + index).join(',')}}`),
    );
    const { playing, problems, nextChangeMs } = timetable(slow, 'Europe/London', at('2026-11-20T12:00:00Z'));
    assert.deepEqual([playing, problems], [[], []]);
    assert.ok(nextChangeMs !== null && nextChangeMs > at('2026-11-20T12:00:00Z'));
  });
});

interface Window {
  readonly text: string;
  readonly holds: (time: number, weekday: number, date: number) => boolean;
}

/** Instants just before a change of the clocks, and some quiet ones. */
const moments: readonly (readonly [zone: string, atMs: number])[] = [
  ['America/New_York', at('2026-03-07T20:00:00Z')],
  ['America/New_York', at('2026-10-31T20:00:00Z')],
  ['Europe/London', at('2026-03-28T12:00:00Z')],
  ['Europe/Berlin', at('2026-10-24T18:00:00Z')],
  ['America/Sao_Paulo', at('2018-11-03T18:00:00Z')],
  ['America/Sao_Paulo', at('2018-02-17T18:00:00Z')],
  ['Australia/Lord_Howe', at('2026-10-03T05:00:00Z')],
  ['Australia/Lord_Howe', at('2026-04-04T05:00:00Z')],
  ['Pacific/Apia', at('2011-12-29T12:00:00Z')],
  ['Africa/Casablanca', at('2026-02-14T12:00:00Z')],
  ['Asia/Beirut', at('2026-03-28T12:00:00Z')],
  ['Antarctica/Troll', at('2026-03-28T12:00:00Z')],
  ['Asia/Kathmandu', at('2026-06-01T00:00:00Z')],
  ['Pacific/Chatham', at('2026-09-26T06:00:00Z')],
  ['Pacific/Kiritimati', at('2026-06-01T00:00:00Z')],
  ['UTC', at('2026-12-31T12:00:00Z')],
];

function situation() {
  const minuteOfDay = fc.integer({ min: 0, max: 1_440 }).map((minute) => minute * minuteMs);
  return fc.constantFrom(...moments).chain(([zone, momentMs]) => {
    const time = fc
      .tuple(minuteOfDay, minuteOfDay)
      .map(([min, max]): Window => ({ text: `$TIME BETWEEN {${min}, ${max}}`, holds: (t) => t >= min && t <= max }));
    const weekday = fc
      .integer({ min: 0, max: 6 })
      .map((day): Window => ({ text: `$WEEKDAY = ${day}`, holds: (_, w) => w === day }));
    const date = fc.integer({ min: -2_880, max: 2_880 }).map((minutes): Window => {
      const bound = momentMs + minutes * minuteMs;
      return { text: `$DATE >= ${bound}`, holds: (_t, _w, d) => d >= bound };
    });
    const negated = fc
      .oneof(time, weekday, date)
      .chain((inner) =>
        fc
          .boolean()
          .map(
            (not): Window => (not ? { text: `NOT ${inner.text}`, holds: (t, w, d) => !inner.holds(t, w, d) } : inner),
          ),
      );
    const predicate = fc.array(fc.array(negated, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }).map(
      (alternatives): Window => ({
        text: alternatives.map((all) => all.map(({ text }) => text).join(' AND ')).join(' OR '),
        holds: (t, w, d) => alternatives.some((all) => all.every((part) => part.holds(t, w, d))),
      }),
    );
    const playlists = fc
      .array(fc.tuple(predicate, fc.boolean()), { minLength: 1, maxLength: 3 })
      .map((list) =>
        list.map(([{ text, holds }, priority], index) => ({ ...entry(`p${index}`, text, { priority }), holds })),
      );
    const fromMs = fc.integer({ min: 0, max: 2_160 }).map((minutes) => momentMs + minutes * minuteMs);
    return fc.record({ zone: fc.constant(zone), fromMs, playlists });
  });
}

/** The rule of playing, written a second time and without a parser. */
function reference(
  playlists: readonly { id: string; priority: boolean; holds: Window['holds'] }[],
  { time, weekday }: { time: number; weekday: number },
  dateMs: number,
): string[] {
  const matching = playlists.filter(({ holds }) => holds(time, weekday, dateMs));
  const urgent = matching.filter(({ priority }) => priority);
  return ids(urgent.length > 0 ? urgent : matching);
}

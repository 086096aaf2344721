/** What plays in every minute of a year, in zones with every kind of rule, against an independent clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { timetable } from '../../../electron/schedule/timetable.ts';
import { plays, type ScheduledEntry, scheduledEntries } from '../../support/schedule-documents.ts';
import { wallClock } from '../../support/schedule-wall-clock.ts';

const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const dayMs = 86_400_000;

/** `npm run test:chaos` looks at more documents a zone, and also a millisecond to both sides of every minute. */
const full = process.env['SIGNET_CHAOS'] === 'full';
const documentsPerZone = full ? 20 : 1;
const besideMinuteMs = full ? [0, 1, minuteMs - 1] : [0];

/** Zone, first day of the year looked at, and why it is here. */
const zones: readonly (readonly [zone: string, from: string, rule: string])[] = [
  ['UTC', '2026-01-01', 'no rule'],
  ['America/New_York', '2026-01-01', 'an hour, northern summer'],
  ['Australia/Sydney', '2026-01-01', 'an hour, southern summer'],
  ['Europe/Dublin', '2026-01-01', 'winter time as the exception'],
  ['Australia/Lord_Howe', '2026-01-01', 'half an hour'],
  ['Antarctica/Troll', '2026-01-01', 'two hours'],
  ['Africa/Casablanca', '2026-01-01', 'an hour less in Ramadan'],
  ['Asia/Gaza', '2026-01-01', 'summer time that Ramadan interrupts'],
  ['Asia/Beirut', '2026-01-01', 'midnight does not exist in spring'],
  ['Africa/Cairo', '2026-01-01', 'midnight from Thursday to Friday'],
  ['America/Santiago', '2026-01-01', 'midnight, southern summer'],
  ['America/Havana', '2026-01-01', 'the hour after midnight comes twice'],
  ['Pacific/Chatham', '2026-01-01', '+12:45 and an hour'],
  ['Asia/Kathmandu', '2026-01-01', '+5:45, no rule'],
  ['Pacific/Kiritimati', '2026-01-01', '+14, no rule'],
  ['Pacific/Apia', '2011-06-01', 'a day that does not exist'],
  ['Pacific/Kwajalein', '1993-03-01', 'a day that does not exist, the other way round the date line'],
  ['America/St_Johns', '2010-01-01', 'changes a minute past midnight'],
  ['America/Sao_Paulo', '2018-01-01', 'midnight does not exist, and comes twice'],
  ['Africa/Monrovia', '1971-07-01', 'an offset of −0:44:30, given up'],
];

type Reading = ReturnType<ReturnType<typeof wallClock>>;

/** The clock of a zone, asked of the runtime once a quarter of an hour, and wherever that is not enough. */
function clockOfYear(zone: string, fromMs: number, untilMs: number): (atMs: number) => Reading {
  const read = wallClock(zone);
  const offsets: number[] = [];
  /** Local wall clock minus UTC within a week, which tells every offset of up to a day apart. */
  const offset = (atMs: number) => {
    const { time, weekday } = read(atMs);
    const [localWeek, utcWeek] = [weekday * dayMs + time, (atMs + 4 * dayMs) % (7 * dayMs)];
    return ((localWeek - utcWeek + 10.5 * dayMs) % (7 * dayMs)) - 3.5 * dayMs;
  };
  for (let atMs = fromMs - quarterMs; atMs <= untilMs + quarterMs; atMs += quarterMs) offsets.push(offset(atMs));
  return (atMs) => {
    const quarter = Math.floor((atMs - fromMs) / quarterMs) + 1;
    const offsetMs = offsets[quarter] as number;
    if (offsetMs !== offsets[quarter + 1]) return read(atMs);
    const local = atMs + offsetMs;
    return { time: local % dayMs, weekday: (Math.floor(local / dayMs) + 4) % 7 };
  };
}

/** Follow the timetable from change to change through a year; each change is checked to the millisecond, every minute looked at. */
function followYear(
  playlists: readonly ScheduledEntry[],
  zone: string,
  fromMs: number,
  clock: (atMs: number) => Reading,
) {
  const read = wallClock(zone);
  const truly = (atMs: number) => plays(playlists, read(atMs), atMs);
  const ids = (playing: readonly { id: string }[]) => playing.map(({ id }) => id).join(' ');
  let changes = 0;
  let { playing, nextChangeMs } = timetable(playlists, zone, fromMs);
  for (let minute = fromMs; minute < fromMs + 365 * dayMs; minute += minuteMs) {
    for (const besideMs of besideMinuteMs) {
      const atMs = minute + besideMs;
      while (nextChangeMs !== null && nextChangeMs <= atMs) {
        const changeMs: number = nextChangeMs;
        assert.equal(truly(changeMs - 1), ids(playing), `before ${changeMs}`);
        const before = ids(playing);
        ({ playing, nextChangeMs } = timetable(playlists, zone, changeMs));
        assert.equal(ids(playing), truly(changeMs), `at ${changeMs}`);
        assert.notEqual(ids(playing), before, `it changes at ${changeMs}`);
        assert.ok(nextChangeMs === null || nextChangeMs > changeMs);
        changes++;
      }
      if (plays(playlists, clock(atMs), atMs) !== ids(playing))
        assert.fail(`${ids(playing)} plays at ${atMs}, ${truly(atMs)} should`);
    }
  }
  return changes;
}

const opening = (from: string, more: Partial<ScheduledEntry> = {}): ScheduledEntry[] => [
  {
    id: 'open',
    predicate: '$WEEKDAY IN {1,2,3,4,5,6} AND $TIME BETWEEN {1800000, 9000000}',
    priority: false,
    isEnabled: true,
    holds: (time, weekday) => weekday >= 1 && weekday <= 6 && time >= 1_800_000 && time <= 9_000_000,
    ...more,
  },
  {
    id: 'always',
    predicate: `$DATE > ${Date.parse(from)}`,
    priority: false,
    isEnabled: true,
    holds: (_t, _w, date) => date > Date.parse(from),
  },
];

describe('timetable over a year', () => {
  for (const [zone, from, rule] of zones) {
    const fromMs = Date.parse(`${from}T00:00:00Z`);
    it(`is right in every minute in ${zone} (${rule})`, () => {
      const clock = clockOfYear(zone, fromMs, fromMs + 365 * dayMs);
      // Opening hours around the hours in which clocks are set.
      assert.ok(followYear(opening(from), zone, fromMs, clock) > 600);
      fc.assert(
        fc.property(
          scheduledEntries(fromMs, fromMs + 365 * dayMs),
          (playlists) => void followYear(playlists, zone, fromMs, clock),
        ),
        { numRuns: documentsPerZone },
      );
    });
  }

  it('would find a change that is a minute late, and one that is missed', () => {
    const [zone, fromMs] = ['America/New_York', Date.parse('2026-01-01T00:00:00Z')];
    const clock = clockOfYear(zone, fromMs, fromMs + 365 * dayMs);
    const late = opening('2026-01-01', { predicate: '$WEEKDAY IN {1,2,3,4,5,6} AND $TIME BETWEEN {1800000, 9060000}' });
    assert.throws(() => followYear(late, zone, fromMs, clock), /before|plays at/);
    // At the repeated hour of 1 November alone.
    const hours = '$WEEKDAY IN {1,2,3,4,5,6,0} AND $TIME BETWEEN {1800000, 9000000}';
    const missed = opening('2026-01-01', {
      predicate: `${hours} AND NOT $DATE BETWEEN {1793512800000, 1793516399999}`,
      holds: (time) => time >= 1_800_000 && time <= 9_000_000,
    });
    assert.throws(() => followYear(missed, zone, fromMs, clock), /1793512[78]|before|plays at/);
  });
});

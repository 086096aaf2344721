/** Playlists with predicates of every form, each with what it means written a second time, without a parser. */
import fc from 'fast-check';

const minuteMs = 60_000;

export type Meaning = (time: number, weekday: number, date: number) => boolean;

interface Predicate {
  readonly text: string;
  readonly holds: Meaning;
}

export interface ScheduledEntry {
  readonly id: string;
  readonly predicate: string;
  readonly priority: boolean;
  readonly isEnabled: boolean;
  readonly holds: Meaning;
}

/** What plays, by the rule of the documentation: those with priority that match, else all that match. */
export function plays(
  playlists: readonly ScheduledEntry[],
  reading: { readonly time: number; readonly weekday: number },
  dateMs: number,
): string {
  const matching = playlists.filter(({ holds }) => holds(reading.time, reading.weekday, dateMs));
  const urgent = matching.filter(({ priority }) => priority);
  return (urgent.length > 0 ? urgent : matching).map(({ id }) => id).join(' ');
}

const comparators: readonly (readonly [string, (a: number, b: number) => boolean])[] = [
  ['=', (a, b) => a === b],
  ['<', (a, b) => a < b],
  ['<=', (a, b) => a <= b],
  ['>', (a, b) => a > b],
  ['>=', (a, b) => a >= b],
];

/**
 * One to three playlists whose predicates turn on whole minutes or a millisecond beside them.
 * @param fromMs beginning and @param untilMs end of what their dates are drawn from, Unix milliseconds
 */
export function scheduledEntries(fromMs: number, untilMs: number): fc.Arbitrary<ScheduledEntry[]> {
  const besideMinute = (first: number, last: number) =>
    fc
      .tuple(fc.integer({ min: Math.ceil(first / minuteMs), max: Math.floor(last / minuteMs) }), fc.boolean())
      .map(([minute, before]) => Math.max(0, minute * minuteMs - (before ? 1 : 0)));
  const timeOfDay = besideMinute(0, 86_400_000);
  const date = besideMinute(fromMs, untilMs);
  const weekday = fc.integer({ min: 0, max: 7 });
  const variables: readonly (readonly [string, fc.Arbitrary<number>, (reading: Parameters<Meaning>) => number])[] = [
    ['$TIME', timeOfDay, ([time]) => time],
    ['$WEEKDAY', weekday, ([, day]) => day],
    ['$DATE', date, ([, , instant]) => instant],
  ];
  const leaf = fc.constantFrom(...variables).chain(([name, bound, read]) =>
    fc.oneof(
      fc
        .tuple(fc.constantFrom(...comparators), bound, fc.boolean())
        .map(([[sign, compare], value, turned]): Predicate => {
          const text = turned ? `${value} ${sign} ${name}` : `${name} ${sign} ${value}`;
          return { text, holds: (...at) => (turned ? compare(value, read(at)) : compare(read(at), value)) };
        }),
      fc.tuple(bound, bound).map(
        ([min, max]): Predicate => ({
          text: `${name} BETWEEN {${min}, ${max}}`,
          holds: (...at) => read(at) >= min && read(at) <= max,
        }),
      ),
      fc.array(bound, { minLength: 1, maxLength: 4 }).map(
        (members): Predicate => ({
          text: `${name} IN {${members.join(',')}}`,
          holds: (...at) => members.includes(read(at)),
        }),
      ),
    ),
  );
  const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
    predicate: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      tie('predicate').map(
        ({ text, holds }): Predicate => ({ text: `NOT (${text})`, holds: (...at) => !holds(...at) }),
      ),
      fc.tuple(tie('predicate'), tie('predicate')).map(
        ([a, b]): Predicate => ({
          text: `(${a.text}) AND (${b.text})`,
          holds: (...at) => a.holds(...at) && b.holds(...at),
        }),
      ),
      fc.tuple(tie('predicate'), tie('predicate')).map(
        ([a, b]): Predicate => ({
          text: `(${a.text}) OR (${b.text})`,
          holds: (...at) => a.holds(...at) || b.holds(...at),
        }),
      ),
    ),
  }));
  return fc.array(fc.tuple(predicate, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 3 }).map((list) =>
    list.map(([{ text, holds }, priority, other], index) => ({
      id: `p${index}`,
      predicate: text,
      priority: priority && other,
      isEnabled: true,
      holds,
    })),
  );
}

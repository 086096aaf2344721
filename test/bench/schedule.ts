/**
 * What plays and until when, for 1,000 playlists with predicates of 4,000 characters: against V8, which is given the
 * same predicates as JavaScript functions.
 */
import { performance } from 'node:perf_hooks';
import { parsePredicate } from '../../electron/schedule/predicate.ts';
import { timetable } from '../../electron/schedule/timetable.ts';
import { predicateShapes } from './predicate-shapes.ts';
import { median } from './sample.ts';

const [playlistCount, characters] = [1_000, 4_000];
const zone = 'Europe/Berlin';
const saturdayMs = Date.parse('2026-11-21T12:00:00Z');

/** Opening hours, minute by minute: every form of the language, and a date that never comes. */
function predicateOf(seed: number): string {
  const clauses: string[] = [];
  for (let minute = seed; ; minute += 7) {
    const from = (minute % 1_439) * 60_000;
    const clause = `($WEEKDAY IN {1,2,3,4,5} AND $TIME BETWEEN {${from}, ${from + 30_000}} AND $DATE >= 1790000000000)`;
    if ([...clauses, clause].join(' OR ').length > characters) return clauses.join(' OR ');
    clauses.push(clause);
  }
}

function asJavaScript(predicate: string): string {
  const words = predicate
    .replaceAll(/(\$\w+) IN \{([^}]*)\}/g, '[$2].includes($1)')
    .replaceAll(/(\$\w+) BETWEEN \{(\d+), (\d+)\}/g, '($1 >= $2 && $1 <= $3)');
  return words.replaceAll(' AND ', ' && ').replaceAll(' OR ', ' || ');
}

export async function scheduleBench({ runs = 15, narrate }: { runs?: number; narrate(text: string): void }) {
  narrate(`${playlistCount} playlists with predicates of ${characters} characters, ${runs} rounds`);
  const predicates = Array.from({ length: playlistCount }, (_, index) => predicateOf(index));
  const scripts = predicates.map(asJavaScript);
  const fresh = () =>
    predicates.map((predicate, index) => ({ id: `p${index}`, predicate, priority: false, isEnabled: true }));
  const times: Record<string, number[]> = { parse: [], first: [], again: [], v8Parse: [], v8Evaluate: [] };
  const cpuMs: number[] = [];
  const timed = <T>(name: string, work: () => T): T => {
    const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
    const result = work();
    times[name]?.push(performance.now() - startedAt);
    const { user, system } = process.cpuUsage(cpu);
    if (name === 'again') cpuMs.push((user + system) / 1_000);
    return result;
  };
  // As a player that has just started meets it: nothing of the code has been compiled yet.
  const coldFromMs = performance.now();
  const coldly = timetable(fresh(), zone, saturdayMs);
  const coldPlayingMs = performance.now() - coldFromMs;
  if (coldly.nextChangeMs === null) throw new Error('it never changes');
  const coldMs = performance.now() - coldFromMs;
  // One round more, whose times are thrown away.
  for (let round = 0; round <= runs; round++) {
    timed('parse', () => predicates.every((predicate) => parsePredicate(predicate).ok));
    const playlists = fresh();
    const nextChangeMs = timed('first', () => timetable(playlists, zone, saturdayMs).nextChangeMs);
    timed('again', () => timetable(playlists, zone, nextChangeMs ?? saturdayMs).nextChangeMs);
    // A comment with the round keeps V8 from remembering what it compiled before.
    const functions = timed('v8Parse', () =>
      scripts.map((script) => new Function('$DATE', '$TIME', '$WEEKDAY', `return ${script} /* ${round} */`)),
    );
    timed('v8Evaluate', () => functions.filter((evaluate) => evaluate(saturdayMs, 46_800_000, 6)).length);
    if (round === 0) for (const list of [cpuMs, ...Object.values(times)]) list.length = 0;
  }
  const [parseMs, firstMs, againMs, v8ParseMs, v8EvaluateMs] = Object.values(times).map(median) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const ofShapes = Object.entries(predicateShapes(characters)).map(([name, predicateFor]) => {
    const playlists = predicates.map((_, seed) => ({
      id: `${name} ${seed}`,
      predicate: predicateFor(seed),
      priority: false,
      isEnabled: true,
    }));
    const first = timetable(playlists, zone, saturdayMs);
    if (first.problems.length > 0) throw new Error(`${name}: ${JSON.stringify(first.problems[0])}`);
    const evaluate = (): number => {
      const startedAt = performance.now();
      void timetable(playlists, zone, first.nextChangeMs ?? saturdayMs).nextChangeMs;
      return performance.now() - startedAt;
    };
    return { name, ms: median(Array.from({ length: runs }, evaluate)) };
  });
  const slowest = ofShapes.reduce((one, other) => (other.ms > one.ms ? other : one));
  const v8Ms = v8ParseMs + v8EvaluateMs;
  const round = (value: number) => Number(value.toFixed(2));
  return {
    rows: [
      { what: 'parse', ms: round(parseMs), 'V8, ms': round(v8ParseMs) },
      { what: 'first evaluation: parse, what plays, next change', ms: round(firstMs), 'V8, ms': round(v8Ms) },
      { what: 'evaluation: what plays, next change', ms: round(againMs), 'V8, ms': round(v8EvaluateMs) },
      ...ofShapes.map(({ name, ms }) => ({ what: `evaluation: ${name}`, ms: round(ms), 'V8, ms': '' })),
    ],
    ratios: { first_vs_v8: round(firstMs / v8Ms), parse_vs_v8: round(parseMs / v8ParseMs) },
    values: {
      evaluation_ms: round(againMs),
      evaluation_cpu_ms: round(median(cpuMs)),
      first_evaluation_ms: round(firstMs),
      first_evaluation_in_process_ms: round(coldMs),
      /** Of that, what is done before the first item is shown. */
      first_playing_in_process_ms: round(coldPlayingMs),
      /** Of the other shapes that predicates have. */
      slowest_evaluation_ms: round(slowest.ms),
      parse_ms: round(parseMs),
      v8_evaluation_ms: round(v8EvaluateMs),
      playlists: playlistCount,
      characters,
    },
  };
}

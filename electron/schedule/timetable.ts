import { type Expression, holds } from './expression.ts';
import { localClock } from './local-clock.ts';
import { parsePredicate } from './predicate.ts';
import { createTurning, type Turning } from './turning.ts';

/** What the timetable must know of a playlist. */
export interface Schedulable {
  readonly id: string;
  readonly predicate: string;
  readonly priority: boolean;
  readonly isEnabled: boolean;
}

/** A playlist that cannot be scheduled: it does not play, and the operator hears of it. */
export interface PredicateProblem {
  readonly code: 'PREDICATE_INVALID';
  readonly playlistId: string;
  /** Index of the offending character, from 0. */
  readonly position: number;
  readonly reason: string;
}

export interface Timetable<P> {
  /** Playing now, in document order; empty: nothing is scheduled. */
  readonly playing: readonly P[];
  readonly problems: readonly PredicateProblem[];
  /**
   * Unix milliseconds of the first later instant at which `playing` is another; `null`: never. Searched for when it is
   * first asked for: what plays is shown before.
   */
  readonly nextChangeMs: number | null;
}

/**
 * What one search may do, some tenths of a second. Only documents made to be
 * slow use it up; the search then names an earlier instant than the true one, at
 * which to ask again.
 */
const effortPerSearch = 1_000_000;

/**
 * What plays at an instant, and until when.
 *
 * While any enabled playlist with priority matches only those play, else all
 * that match. While one with priority plays, the others cannot change the
 * answer, so that they are not searched.
 *
 * @param zone the screen's IANA zone
 * @param nowMs Unix milliseconds
 */
export function timetable<P extends Schedulable>(playlists: readonly P[], zone: string, nowMs: number): Timetable<P> {
  const effort = { left: effortPerSearch };
  const clock = localClock(zone, effort);
  const fromMs = Math.floor(nowMs);
  const { rules, problems } = parseAll(playlists);
  const reading = clock.reading(fromMs);
  const matching = rules.filter(({ expression }) => holds(expression, reading));
  const urgent = matching.filter(({ playlist }) => playlist.priority);
  const playing = (urgent.length > 0 ? urgent : matching).map(({ playlist }) => playlist);
  const relevant = urgent.length > 0 ? rules.filter(({ playlist }) => playlist.priority) : rules;
  const search = () => {
    let foundMs: number | null = null;
    for (const { turning } of relevant) {
      const turnMs = turning.next(clock, fromMs, foundMs ?? Number.POSITIVE_INFINITY, effort);
      if (turnMs !== null) foundMs = turnMs;
    }
    return foundMs;
  };
  let nextChangeMs: number | null | undefined;
  return {
    playing,
    problems,
    get nextChangeMs() {
      if (nextChangeMs === undefined) nextChangeMs = search();
      return nextChangeMs;
    },
  };
}

/** What was made of a predicate: rules of the playlist that it belongs to. */
type Rules =
  | { readonly ok: true; readonly expression: Expression; readonly turning: Turning }
  | { readonly ok: false; readonly position: number; readonly reason: string };

/** A checked playlist never changes, so that its predicate is parsed once for as long as it is held. */
const known = new WeakMap<Schedulable, Rules>();

function rulesOf(playlist: Schedulable): Rules {
  const found = known.get(playlist);
  if (found !== undefined) return found;
  const parsed = parsePredicate(playlist.predicate);
  const made = parsed.ok ? { ...parsed, turning: createTurning(parsed.expression) } : parsed;
  known.set(playlist, made);
  return made;
}

function parseAll<P extends Schedulable>(playlists: readonly P[]) {
  const rules: { readonly playlist: P; readonly expression: Expression; readonly turning: Turning }[] = [];
  const problems: PredicateProblem[] = [];
  for (const playlist of playlists) {
    if (!playlist.isEnabled) continue;
    const made = rulesOf(playlist);
    if (made.ok) rules.push({ playlist, expression: made.expression, turning: made.turning });
    else {
      const { position, reason } = made;
      problems.push({ code: 'PREDICATE_INVALID', playlistId: playlist.id, position, reason });
    }
  }
  return { rules, problems };
}

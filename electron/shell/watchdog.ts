/** The watchdog over the page: pure. `unresponsive` never fires on a screen that nobody touches. */

/** The page's deaths so far. */
export interface Deaths {
  /** Of the last minutes, monotonic milliseconds. */
  readonly atMs: readonly number[];
  /** Lives in a row that ended soon after they had begun. */
  readonly shortLives: number;
}

export type Watch = { readonly deaths: Deaths } & (
  | {
      /** The page is being loaded; its first beat is awaited. */
      readonly state: 'loading';
      readonly sinceMs: number;
    }
  | {
      readonly state: 'alive';
      readonly sinceMs: number;
      readonly beatMs: number;
      readonly frames: number;
      readonly frameMs: number;
    }
  | {
      /** The renderer was told to die; its end is awaited, because a reload before it is lost. */
      readonly state: 'dying';
      readonly sinceMs: number;
      readonly lived: boolean;
    }
  | {
      /** The page died too soon too often; it is restarted later. */
      readonly state: 'waiting';
      readonly untilMs: number;
      readonly effect: 'reload' | 'recreate';
      readonly because: 'gone' | 'load-failed' | 'silent';
    }
);

export type WatchHappening =
  | { readonly type: 'beaten'; readonly frames: number }
  | { readonly type: 'gone' }
  | { readonly type: 'load-failed' }
  /** `lateMs`: by how much the tick came late, because nothing runs on this machine. */
  | { readonly type: 'ticked'; readonly lateMs?: number };

export type WatchEffect = 'kill' | 'reload' | 'recreate' | 'exit' | null;

interface Watched {
  readonly next: Watch;
  readonly effect: WatchEffect;
  /** What the effect answers to; also where it comes after a wait. */
  readonly because?: 'gone' | 'load-failed' | 'silent';
}

const firstBeatMs = 15_000;
const staleBeatMs = 3_000;
const dyingMs = 3_000;

/** A page that lived for this long has come up well: its death says nothing about the next one. */
const wellMs = 2_000;
/** Deaths are counted over this time. */
const windowMs = 5 * 60_000;
/** Deaths within a minute that are answered by a plain reload; after these the window is made anew. */
const mostReloads = 3;
const minuteMs = 60_000;
/** After so many short lives in a row, or so many deaths within the window, the player leaves. */
const mostShortLives = 8;
const mostDeaths = 40;

/** How long to wait after a number of short lives in a row: 250 ms doubling to 8 s; nothing after a long life. */
export function restartDelayMs(shortLives: number): number {
  return shortLives === 0 ? 0 : Math.min(250 * 2 ** (shortLives - 1), 8_000);
}

export function startWatch(nowMs: number): Watch {
  return { state: 'loading', sinceMs: nowMs, deaths: { atMs: [], shortLives: 0 } };
}

/**
 * @param nowMs monotonic milliseconds
 * @returns the next state and what to do to the page
 */
export function watch(now: Watch, happening: WatchHappening, nowMs: number): Watched {
  switch (happening.type) {
    case 'beaten':
      return { next: beaten(now, happening.frames, nowMs), effect: null };
    case 'gone':
    case 'load-failed':
      return now.state === 'waiting' ? { next: now, effect: null } : restart(now, nowMs, happening.type);
    case 'ticked':
      return ticked(excused(now, happening.lateMs ?? 0), nowMs);
    default:
      return happening satisfies never;
  }
}

function beaten(now: Watch, frames: number, nowMs: number): Watch {
  if (now.state === 'dying' || now.state === 'waiting') return now;
  // A page that beats but paints nothing is as dead as one that is silent.
  const painted = now.state === 'loading' || frames !== now.frames;
  const frameMs = painted ? nowMs : now.frameMs;
  const sinceMs = now.state === 'loading' ? nowMs : now.sinceMs;
  return { state: 'alive', sinceMs, beatMs: nowMs, frames, frameMs, deaths: now.deaths };
}

function ticked(now: Watch, nowMs: number): Watched {
  const nothing: Watched = { next: now, effect: null };
  switch (now.state) {
    case 'loading':
      return nowMs - now.sinceMs > firstBeatMs ? kill(now, nowMs) : nothing;
    case 'alive':
      return nowMs - Math.min(now.beatMs, now.frameMs) > staleBeatMs ? kill(now, nowMs) : nothing;
    case 'dying':
      return nowMs - now.sinceMs > dyingMs ? restart(now, nowMs, 'silent') : nothing;
    case 'waiting':
      if (nowMs < now.untilMs) return nothing;
      return {
        next: { state: 'loading', sinceMs: nowMs, deaths: now.deaths },
        effect: now.effect,
        because: now.because,
      };
    default:
      return now satisfies never;
  }
}

/** A time in which not even the watchdog ran does not count against the page. */
function excused(now: Watch, lateMs: number): Watch {
  if (lateMs === 0) return now;
  if (now.state === 'alive') return { ...now, beatMs: now.beatMs + lateMs, frameMs: now.frameMs + lateMs };
  return now.state === 'loading' ? { ...now, sinceMs: now.sinceMs + lateMs } : now;
}

function kill(now: Watch, nowMs: number): Watched {
  const next: Watch = { state: 'dying', sinceMs: nowMs, lived: livedWell(now, nowMs), deaths: now.deaths };
  return { next, effect: 'kill', because: 'silent' };
}

function livedWell(now: Watch, nowMs: number): boolean {
  if (now.state === 'dying') return now.lived;
  return now.state === 'alive' && nowMs - now.sinceMs >= wellMs;
}

function restart(now: Watch, nowMs: number, because: 'gone' | 'load-failed' | 'silent'): Watched {
  const atMs = [...now.deaths.atMs.filter((at) => nowMs - at < windowMs), nowMs];
  // The first death of a while is answered at once, however soon it came.
  const shortLives = livedWell(now, nowMs) || atMs.length === 1 ? 0 : now.deaths.shortLives + 1;
  const deaths = { atMs, shortLives };
  const loading: Watch = { state: 'loading', sinceMs: nowMs, deaths };
  if (shortLives > mostShortLives || atMs.length > mostDeaths) return { next: loading, effect: 'exit', because };
  const lately = atMs.filter((at) => nowMs - at < minuteMs).length;
  const effect = lately <= mostReloads ? 'reload' : 'recreate';
  const delayMs = restartDelayMs(shortLives);
  if (delayMs === 0) return { next: loading, effect, because };
  return { next: { state: 'waiting', untilMs: nowMs + delayMs, effect, because, deaths }, effect: null };
}

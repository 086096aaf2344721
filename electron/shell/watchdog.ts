/** The watchdog over the page: pure. `unresponsive` never fires on a screen that nobody touches. */

export type Watch =
  /** The page is being loaded; its first beat is awaited. */
  | { readonly state: 'loading'; readonly sinceMs: number; readonly restartsMs: readonly number[] }
  | {
      readonly state: 'alive';
      readonly beatMs: number;
      readonly frames: number;
      readonly frameMs: number;
      readonly restartsMs: readonly number[];
    }
  /** The renderer was told to die; its end is awaited, because a reload before it is lost. */
  | { readonly state: 'dying'; readonly sinceMs: number; readonly restartsMs: readonly number[] };

export type WatchHappening =
  | { readonly type: 'beaten'; readonly frames: number }
  | { readonly type: 'gone' }
  | { readonly type: 'load-failed' }
  | { readonly type: 'ticked' };

export type WatchEffect = 'kill' | 'reload' | 'recreate' | 'exit' | null;

const firstBeatMs = 15_000;
const staleBeatMs = 3_000;
const dyingMs = 3_000;
const windowMs = 60_000;
/** Restarts within a minute that are a plain reload; after these the window is made anew; after twice as many, exit. */
const mostReloads = 3;

export function startWatch(nowMs: number): Watch {
  return { state: 'loading', sinceMs: nowMs, restartsMs: [] };
}

/**
 * @param nowMs monotonic milliseconds
 * @returns the next state and what to do to the page
 */
export function watch(now: Watch, happening: WatchHappening, nowMs: number): { next: Watch; effect: WatchEffect } {
  switch (happening.type) {
    case 'beaten':
      return { next: beaten(now, happening.frames, nowMs), effect: null };
    case 'gone':
    case 'load-failed':
      return restart(now, nowMs);
    case 'ticked':
      return ticked(now, nowMs);
    default:
      return happening satisfies never;
  }
}

function beaten(now: Watch, frames: number, nowMs: number): Watch {
  if (now.state === 'dying') return now;
  // A page that beats but paints nothing is as dead as one that is silent.
  const painted = now.state === 'loading' || frames !== now.frames;
  const frameMs = painted ? nowMs : now.frameMs;
  return { state: 'alive', beatMs: nowMs, frames, frameMs, restartsMs: now.restartsMs };
}

function ticked(now: Watch, nowMs: number): { next: Watch; effect: WatchEffect } {
  switch (now.state) {
    case 'loading':
      return nowMs - now.sinceMs > firstBeatMs ? kill(now, nowMs) : { next: now, effect: null };
    case 'alive':
      return nowMs - Math.min(now.beatMs, now.frameMs) > staleBeatMs ? kill(now, nowMs) : { next: now, effect: null };
    case 'dying':
      return nowMs - now.sinceMs > dyingMs ? restart(now, nowMs) : { next: now, effect: null };
    default:
      return now satisfies never;
  }
}

function kill(now: Watch, nowMs: number): { next: Watch; effect: WatchEffect } {
  return { next: { state: 'dying', sinceMs: nowMs, restartsMs: now.restartsMs }, effect: 'kill' };
}

function restart(now: Watch, nowMs: number): { next: Watch; effect: WatchEffect } {
  const restartsMs = [...now.restartsMs.filter((at) => nowMs - at < windowMs), nowMs];
  const next: Watch = { state: 'loading', sinceMs: nowMs, restartsMs };
  if (restartsMs.length <= mostReloads) return { next, effect: 'reload' };
  return { next, effect: restartsMs.length <= 2 * mostReloads ? 'recreate' : 'exit' };
}

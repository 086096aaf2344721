import type { MediaHash } from '../playlist/playlist.ts';

/** Deaths of the page that a file may be suspected of. */
const mostDeaths = 2;
const suspicionMs = 60 * 60_000;
/** How long a file is left out, milliseconds; then it has another chance: a slow hour may have been to blame. */
export const leftOutMs = 24 * 60 * 60_000;

/** Which files the page died of. */
export interface Suspicion {
  /** The page died while it opened this file. @returns whether it is not to be shown from now on, for `leftOutMs` */
  add(hash: MediaHash): boolean;
  isOn(hash: MediaHash): boolean;
  clear(): void;
}

/** @param now monotonic milliseconds */
export function createSuspicion(now: () => number): Suspicion {
  const deaths = new Map<MediaHash, { readonly count: number; readonly atMs: number }>();
  return {
    add: (hash) => {
      const before = deaths.get(hash);
      const atMs = now();
      // Two crashes weeks apart have nothing to do with the file.
      const count = before !== undefined && atMs - before.atMs < suspicionMs ? before.count + 1 : 1;
      deaths.set(hash, { count, atMs });
      return count === mostDeaths;
    },
    isOn: (hash) => {
      const held = deaths.get(hash);
      return held !== undefined && held.count >= mostDeaths && now() - held.atMs < leftOutMs;
    },
    clear: () => deaths.clear(),
  };
}

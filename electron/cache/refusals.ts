import { PlayerError } from '../errors.ts';
import type { MediaOrigin } from './media.ts';

/** What a server sends in the place of some files costs its time again each time: a tenth of all time at most. */
export interface Refusals {
  /**
   * Bring a file from its origin, unless something else came a moment ago.
   * @param key stands for the file and its address
   * @throws PlayerError what `bring` throws, or what it threw the last time
   */
  heed<T>(key: string, origin: MediaOrigin, bring: (origin: MediaOrigin) => Promise<T>): Promise<T>;
}

/** Said once all of it has come; nothing of it is kept for a resume. */
const ofTheContent: ReadonlySet<string> = new Set(['MEDIA_DIGEST', 'MEDIA_KIND']);
const pauseFactor = 9;
/** A strict playlist with such a file waits for it as long. */
const longestPauseMs = 60 * 60_000;
const mostRemembered = 1_000;

/** @param now Unix milliseconds; a clock that was set back ends the pauses */
export function createRefusals(now: () => number): Refusals {
  const refused = new Map<string, { readonly error: PlayerError; readonly atMs: number; readonly pauseMs: number }>();
  const check = (key: string) => {
    const last = refused.get(key);
    const agoMs = now() - (last?.atMs ?? 0);
    if (last === undefined || agoMs < 0 || agoMs >= last.pauseMs) return;
    const minutes = Math.ceil((last.pauseMs - agoMs) / 60_000);
    const { code, message } = last.error;
    throw new PlayerError(code, `${message}: it is fetched again in ${minutes} min`, last.error);
  };
  const remember = (key: string, error: PlayerError, tookMs: number) => {
    // The latest last: the first one is the longest ago.
    refused.delete(key);
    refused.set(key, { error, atMs: now(), pauseMs: Math.min(longestPauseMs, pauseFactor * tookMs) });
    const [oldest] = refused.keys();
    if (refused.size > mostRemembered && oldest !== undefined) refused.delete(oldest);
  };
  return {
    heed: async (key, origin, bring) => {
      check(key);
      // Not counted while it waits for its turn.
      let beganMs = Number.POSITIVE_INFINITY;
      const timed: MediaOrigin = {
        fetch: async (...asked) => {
          const body = await origin.fetch(...asked);
          beganMs = Math.min(beganMs, now());
          return body;
        },
      };
      try {
        return await bring(timed);
      } catch (thrown) {
        if (thrown instanceof PlayerError && ofTheContent.has(thrown.code))
          remember(key, thrown, Math.max(0, now() - beganMs));
        throw thrown;
      }
    },
  };
}

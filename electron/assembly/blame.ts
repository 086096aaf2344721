import type { MediaHash } from '../playlist/playlist.ts';

/** Which file the page was opening when it died. */
export interface Blame {
  /** A file was asked for. */
  opened(hash: MediaHash): void;
  /** A sign of life: the file that is being prepared, and the one on the display. */
  beaten(preparing: MediaHash | null, shown: MediaHash | null): void;
  /** @returns the file that is to be suspected; `null`: none, what was opened had been prepared and done no harm */
  died(): MediaHash | null;
}

/** @param nowMs monotonic milliseconds */
export function createBlame(nowMs: () => number): Blame {
  let latest: { readonly hash: MediaHash; readonly atMs: number } | null = null;
  let beat: { readonly atMs: number; readonly preparing: MediaHash | null; readonly shown: MediaHash | null } | null =
    null;
  return {
    opened: (hash) => {
      // What is on the display is read on, piece by piece: that is no opening.
      if (hash === beat?.shown && hash !== beat.preparing) return;
      latest = { hash, atMs: nowMs() };
    },
    beaten: (preparing, shown) => {
      beat = { atMs: nowMs(), preparing, shown };
    },
    died: () => {
      const [file, sign] = [latest, beat];
      latest = null;
      beat = null;
      if (file === null) return null;
      const isBeingOpened = sign === null || file.atMs >= sign.atMs || sign.preparing === file.hash;
      return isBeingOpened ? file.hash : null;
    },
  };
}

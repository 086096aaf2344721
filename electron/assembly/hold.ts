import type { MediaStore } from '../cache/store.ts';
import type { MediaHash } from '../playlist/playlist.ts';

/** Files of one playlist that must not be evicted, whether they are stored already or to come. */
export interface Hold {
  /** Nothing once it was released. */
  add(hash: MediaHash): void;
  /** May be called again. */
  release(): void;
}

export function createHold(store: Pick<MediaStore, 'lease'>, hashes: Iterable<MediaHash>): Hold {
  const held = new Set(hashes);
  let releases: (() => void)[] = [store.lease(held)];
  let isOver = false;
  return {
    add: (hash) => {
      if (isOver || held.has(hash)) return;
      held.add(hash);
      releases.push(store.lease([hash]));
    },
    release: () => {
      isOver = true;
      for (const release of releases) release();
      releases = [];
    },
  };
}

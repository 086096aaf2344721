import type { Resume } from '../ipc/contract.ts';

/** Where playing was, so that a page which takes over goes on there and not at the beginning. */
export interface Place {
  /** An item came onto the display. */
  shown(itemId: string): void;
  died(): void;
  /** What a page that begins goes on with; `null`: with the beginning. */
  resume(): Resume | null;
}

/** Deaths with the same item on the display after which the next one is gone on with. */
const mostDeaths = 2;

/** @param nowMs monotonic milliseconds */
export function createPlace(nowMs: () => number): Place {
  let item: { readonly itemId: string; readonly sinceMs: number; deaths: number } | null = null;
  let dead = false;
  return {
    shown: (itemId) => {
      const again = item !== null && item.itemId === itemId && dead;
      // Shown again because of a death: whether it is to blame for it shows only when it lasts.
      item = { itemId, sinceMs: nowMs(), deaths: again ? (item?.deaths ?? 0) : 0 };
      dead = false;
    },
    died: () => {
      if (item !== null && !dead) item.deaths += 1;
      dead = true;
    },
    resume: () => {
      if (item === null) return null;
      const { itemId, sinceMs, deaths } = item;
      // A page that died begins the item anew; one that is replaced goes on in it.
      return { itemId, passOver: deaths >= mostDeaths, playedMs: dead ? 0 : Math.round(nowMs() - sinceMs) };
    },
  };
}

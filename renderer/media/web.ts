import type { ViewChange } from '../../electron/ipc/contract.ts';
import { bridge } from '../bridge.ts';
import type { Medium, MediumEvents, Prepare } from './medium.ts';
import { Refusal, refusalOf } from './medium.ts';

/** A request that main refuses concerns a view that is gone: what follows from that is told by `view:changed`. */
const settle = (request: Promise<void>) => request.catch(() => {});

/**
 * A web page is a view of main's over this page: this surface stays empty, and what lies beneath it is seen until the
 * view is raised. Its release lowers the view again, by when the next item has to be on the display.
 * Refuses with main's reasons.
 */
export const prepareWeb: Prepare = async (_surface, item, signal) => {
  const playId = crypto.randomUUID();
  let events: MediumEvents | null = null;
  let released = false;
  let stopListening = () => {};
  const release = () => {
    if (released) return;
    released = true;
    stopListening();
    void settle(bridge.releaseView({ playId }));
  };
  let lose = (_refusal: Refusal) => {};
  const lost = new Promise<never>((_resolve, reject) => {
    lose = reject;
  });
  const ready = new Promise<void>((resolve) => {
    const hear = (change: ViewChange) => {
      if (change.playId !== playId) return;
      if (change.state === 'ready') return resolve();
      lose(new Refusal(change.reason ?? 'failed'));
      // On the display already: it has nothing more to show.
      if (!released) events?.stalled();
    };
    stopListening = bridge.onView(hear);
    signal.addEventListener('abort', () => lose(refusalOf(signal)), { once: true });
  });
  try {
    await Promise.race([Promise.all([bridge.prepareView({ playId, itemId: item.itemId }), ready]), lost]);
  } catch (thrown) {
    release();
    throw thrown instanceof Refusal ? thrown : new Refusal('failed', thrown);
  }
  return {
    layer: 'view',
    lost,
    start(told) {
      events = told;
      bridge.revealView({ playId }).then(
        () => {
          if (!released) told.presented();
        },
        () => {
          if (!released) told.stalled();
        },
      );
    },
    release,
  } satisfies Medium;
};

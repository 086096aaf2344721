import type { PlaybackReport } from '../ipc/contract.ts';
import type { Log } from '../log.ts';

/** Writes down what became of every item; a loop of the same fault is written once until another outcome. */
export function createPlaybackLog(log: Log): { report(report: PlaybackReport): void } {
  const last = new Map<string, string>();
  return {
    report: ({ itemId, outcome, reason }) => {
      if (outcome === 'shown') log.info('item-shown', { itemId });
      else if (last.get(itemId) !== reason)
        log.warn(`item-${outcome}`, { itemId, ...(reason === undefined ? {} : { reason }) });
      if (last.size > 20_000) last.clear();
      last.set(itemId, outcome === 'shown' ? '' : (reason ?? outcome));
    },
  };
}

import type { PlaybackReport } from '../ipc/contract.ts';
import type { Log } from '../log.ts';

/** Twice the items of the longest playlist. */
const mostRemembered = 20_000;

/** Writes down what became of every item; a loop of the same fault is written once until another outcome. */
export function createPlaybackLog(log: Log): { report(report: PlaybackReport): void } {
  const last = new Map<string, string>();
  return {
    report: ({ itemId, outcome, reason }) => {
      const told = `${outcome} ${reason ?? ''}`;
      if (outcome === 'shown') log.info('item-shown', { itemId });
      else if (last.get(itemId) !== told)
        log.warn(`item-${outcome}`, { itemId, ...(reason === undefined ? {} : { reason }) });
      if (last.size > mostRemembered) last.clear();
      last.set(itemId, told);
    },
  };
}

import type { Log } from '../log.ts';
import type { Pushes, Snapshot } from './contract.ts';

/** The latest snapshot, kept for the page that asks and pushed to the page that listens. */
export interface SnapshotFeed {
  current(): Snapshot;
  publish(snapshot: Snapshot): void;
}

/** @param send delivers a push; called only when the snapshot differs from the one before */
export function createSnapshotFeed(
  initial: Snapshot,
  send: <Channel extends keyof Pushes>(channel: Channel, payload: Pushes[Channel]) => void,
  log: Pick<Log, 'info'>,
): SnapshotFeed {
  let current = initial;
  let printed = JSON.stringify(initial);
  return {
    current: () => current,
    publish: (snapshot) => {
      const text = JSON.stringify(snapshot);
      if (text === printed) return;
      if (snapshot.state !== current.state) log.info('state-changed', { state: snapshot.state });
      current = snapshot;
      printed = text;
      send('snapshot:changed', snapshot);
    },
  };
}

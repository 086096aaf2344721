/** A server that answers otherwise than it should, for as long as a fault lasts. */
import { type Lab, type Run, sleep } from './lab.ts';
import type { Ordeal } from './ordeal.ts';
import { full } from './record.ts';
import type { Handler } from './stage-server.ts';

/** How often a fault strikes before it ends. */
export const strikes = full ? 50 : 4;

export const playlistPath = '/api/v2/screens/playlist';

/**
 * Push until the server was asked so many times; a planted bug may keep a player from asking, and gets a while.
 * @throws when the player as it ships asks too seldom
 */
export async function pushUntil(lab: Lab, run: Run, path: string, times: number): Promise<void> {
  const giveUpAtMs = performance.now() + (run.bug === null ? 600_000 : 20_000);
  const from = lab.server.asked.length;
  const count = () => lab.server.asked.slice(from).filter((asked) => asked.path.startsWith(path)).length;
  while (count() < times && performance.now() < giveUpAtMs && !run.ended) {
    lab.server.push();
    await sleep(25);
  }
  if (run.bug === null && count() < times) throw new Error(`${path} was asked for ${count()} times, not ${times}`);
}

/** Until a failed sync is reported; a planted bug may keep it from being, and gets a moment. */
export async function failureReported(run: Run, from: number): Promise<void> {
  const withinMs = run.bug === null ? undefined : 3_000;
  await run.until('a failed sync', ({ event }) => event === 'sync-failed', from, withinMs).catch(() => undefined);
}

/** The playlist, or the media, are answered like this. */
export function answering(
  what: 'playlist' | 'media',
  handler: Handler,
  more: Partial<Ordeal> & { readonly times?: number } = {},
): Ordeal {
  return {
    begin: (lab) => {
      lab.server.faults[what] = handler;
    },
    during: async (lab, run, from) => {
      await pushUntil(lab, run, what === 'media' ? '/media/' : playlistPath, more.times ?? strikes);
      await failureReported(run, from);
    },
    end: (lab) => {
      delete lab.server.faults[what];
    },
    ...more,
  };
}

/** Ten thousand players behind one server after an outage. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fleet, type Plant, rateTable } from '../support/fleet.ts';
import { full, record, seeded } from './support/record.ts';

const players = 10_000;
const minute = 60;

/**
 * Most requests in one second: of a server that is away, whose players try again with back-off, and of one that is
 * back and has to answer. A sound server is asked by a 54th of the players.
 */
const most = { whileDown: players / 5, onceBack: players / 8 };
const watchedSeconds = (full ? 6 : 3) * minute;

// Millions of refused connections: nobody reads where in the code they were refused.
Error.stackTraceLimit = 0;

interface Outcome {
  readonly perSecond: readonly number[];
  readonly peakDown: number;
  readonly peakBack: number;
  /** Seconds after the end of the outage until 99 % of the players had the new playlist. */
  readonly caughtUp: number;
}

async function outage(count: number, seconds: number, plant: Plant = {}): Promise<Outcome> {
  const fleet = new Fleet(count, seeded(4), plant);
  const [failsAt, backAt] = [2 * minute, 2 * minute + seconds];
  // Where media take their time, the server goes away in the middle of a change that everybody fetches.
  await fleet.time.run((failsAt - 5) * 1_000);
  if (plant.downloadMs !== undefined) fleet.change();
  await fleet.time.run(failsAt * 1_000);
  fleet.fail();
  await fleet.time.run(backAt * 1_000);
  fleet.recover();
  let caughtUp = Number.POSITIVE_INFINITY;
  for (let second = 1; second <= watchedSeconds; second++) {
    await fleet.time.run((backAt + second) * 1_000);
    if (fleet.upToDate >= 0.99 * count) caughtUp = Math.min(caughtUp, second);
  }
  await fleet.end();
  const peak = (from: number, to: number) =>
    Math.max(...Array.from({ length: to - from }, (_, index) => fleet.perSecond[from + index] ?? 0));
  return {
    perSecond: fleet.perSecond,
    peakDown: peak(failsAt, backAt),
    peakBack: peak(backAt, backAt + watchedSeconds),
    caughtUp,
  };
}

describe('10,000 players behind one server', () => {
  const outages: readonly (readonly [what: string, seconds: number, within: number, plant?: Plant])[] = [
    ['a restart of 3 seconds', 3, 2 * minute],
    ['an outage of 2 minutes', 2 * minute, 3 * minute],
    ['a restart of 3 seconds in the middle of their downloads', 3, 2 * minute, { downloadMs: 20_000 }],
    ...(full
      ? ([
          ['an outage of 10 minutes', 10 * minute, 5 * minute + 10],
          ['an outage of an hour', 60 * minute, 5 * minute + 10],
        ] as const)
      : []),
  ];
  for (const [what, seconds, within, plant] of outages) {
    it(`come back spread out after ${what}`, async (t) => {
      const { perSecond, peakDown, peakBack, caughtUp } = await outage(players, seconds, plant);
      const to = 2 * minute + seconds + watchedSeconds;
      t.diagnostic(`requests a second; the server fails at ${2 * minute} s and is back at ${2 * minute + seconds} s`);
      for (const line of rateTable(perSecond, minute, to, Math.ceil((to - minute) / 40)).split('\n'))
        t.diagnostic(line);
      t.diagnostic(
        `peak while it is down ${peakDown}/s, after it is back ${peakBack}/s; 99 % up to date after ${caughtUp} s`,
      );
      assert.ok(peakDown <= most.whileDown, `${peakDown} requests in one second while it is down`);
      // With a file to fetch each of them asks twice.
      const mostBack = most.onceBack * (plant === undefined ? 1 : 2);
      assert.ok(peakBack <= mostBack, `${peakBack} requests in one second once it is back`);
      assert.ok(caughtUp <= within, `up to date after ${caughtUp} s`);
      record({
        row: 'fleet',
        fault: `${players} players, ${what}`,
        n: players,
        screen: 'not simulated',
        reported: [`peak ${Math.max(peakDown, peakBack)}/s`],
        recoveryMs: [caughtUp * 1_000],
        caught: 'back-off without jitter',
      });
    });
  }

  it('would be noticed to come all at once, if their back-off had no jitter', async () => {
    const count = 1_000;
    const { peakDown, peakBack } = await outage(count, 2 * minute, {
      backoff: (attempt) => Math.min(300_000, 1_000 * 2 ** attempt),
    });
    assert.ok(Math.max(peakDown, peakBack) > count / 5, `${peakDown}, ${peakBack}`);
  });
});

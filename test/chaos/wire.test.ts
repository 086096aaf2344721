/** F15, F16: the network between player and server fails. */
import { describe, it } from 'node:test';
import { asksNamesInTheWay, fetchesAnew, goesDark, noNameNoScreen, triesInTheClear } from './support/bugs.ts';
import { type Lab, openLab, sleep } from './support/lab.ts';
import type { Ordeal } from './support/ordeal.ts';
import { full, seeded } from './support/record.ts';
import { codeReported, stand, stoodStill } from './support/row.ts';
import { picture } from './support/stage-server.ts';

const random = seeded(15);

/** The connections are lost in the middle of a sync, so that the next try comes soon and meets the fault. */
async function strikeSync(lab: Lab, strike: () => void): Promise<void> {
  lab.server.faults.playlist = () => undefined;
  lab.server.push();
  await sleep(300);
  strike();
  lab.proxy.cut();
  delete lab.server.faults.playlist;
}

/** A test in labs of its own. Most of these faults are waited for: the full form waits for five at once. */
const inLabs = (test: (labs: readonly Lab[]) => Promise<void>) => async () => {
  const labs = await Promise.all(Array.from({ length: full ? 5 : 1 }, () => openLab()));
  try {
    await test(labs);
  } finally {
    await Promise.all(labs.map((lab) => lab.close()));
  }
};

describe('a network that fails', { concurrency: full ? 1 : 2 }, () => {
  it(
    'F15 the network comes and goes in the middle of a download, and nothing is fetched twice',
    inLabs(async (labs) => {
      const flaps = full ? 10 : 3;
      const sizeBytes = 400_000 * (flaps + 1);
      const slow = { type: 'slow', bytesPerSecond: 2_000_000 } as const;
      let big = 0;
      const flapping = (lab: Lab): Ordeal => {
        let [carried, connections] = [0, 0];
        return {
          begin: () => {
            [carried, connections] = [lab.proxy.carriedBytes, lab.proxy.connections];
            lab.proxy.wire = slow;
          },
          pictures: () => [picture(`flap ${big++}`, sizeBytes)],
          during: async (_lab, run) => {
            for (let flap = 1; flap <= flaps && !run.ended; flap++) {
              // Each flap strikes a download that is so far; one that begins anew is struck once more at the same place.
              const [from, giveUpAtMs] = [lab.proxy.carriedBytes, performance.now() + 20_000];
              const more = sizeBytes / (flaps + 1);
              while (lab.proxy.carriedBytes < from + more && performance.now() < giveUpAtMs && !run.ended)
                await sleep(10);
              lab.proxy.wire = { type: 'reset' };
              await sleep(20 + random() * 300);
              lab.proxy.wire = slow;
            }
            await run.shows(lab.server.version);
          },
          end: () => {
            lab.proxy.wire = { type: 'whole' };
          },
          mayArrive: true,
          verdict: () => {
            // A handshake and a playlist for each connection, and what was on its way when the wire was cut.
            const overhead = 0.05 * sizeBytes + 20_000 * (lab.proxy.connections - connections) + 200_000 * flaps;
            const more = lab.proxy.carriedBytes - carried - sizeBytes - overhead;
            return more > 0 ? `${Math.round(more)} bytes too many were fetched` : null;
          },
        };
      };
      await stand(
        labs,
        {
          row: 'F15',
          fault: 'the network comes and goes',
          code: /CONNECTION_FAILED/,
          strikes: flaps,
          times: full ? 20 : 1,
          catches: [{ bug: fetchesAnew, by: /bytes too many/ }],
        },
        flapping,
      );
    }),
  );

  it(
    'F15 nine of ten packets are lost',
    inLabs(async (labs) => {
      const code = /CONNECTION_FAILED|CONNECTION_TIMEOUT|SERVER/;
      await stand(
        labs,
        {
          row: 'F15',
          fault: '90 % of the packets are lost, then the connection',
          code,
          times: full ? 10 : 1,
          catches: [{ bug: goesDark, by: /an empty display/ }],
        },
        (lab) => ({
          begin: () => {
            lab.proxy.wire = { type: 'lossy', lost: 0.9, random };
          },
          during: async (_lab, run, from) => {
            await sleep(full ? 30_000 : 4_000);
            lab.proxy.wire = { type: 'reset' };
            await sleep(200);
            // The push may have been among what was lost: the player asks by itself, within a minute, and is refused.
            await codeReported(run, code, from, 65_000);
          },
          end: () => {
            lab.proxy.wire = { type: 'whole' };
          },
          mayArrive: true,
        }),
      );
    }),
  );

  for (const [names, fault, bug] of [
    [1, 'there is no such name', noNameNoScreen],
    [2, 'no name server answers', goesDark],
  ] as const)
    it(
      `F16 ${fault}`,
      inLabs(async (labs) => {
        const code = /NAME_UNRESOLVED/;
        const catches = [{ bug, by: /an empty display/ }] as const;
        await stand(labs, { row: 'F16', fault, code, times: full ? 50 : 1, catches }, (lab) => ({
          begin: () => strikeSync(lab, () => lab.layer.set({ names })),
          during: (_lab, run, from) => codeReported(run, code, from),
          end: () => lab.layer.heal(),
        }));
      }),
    );

  // A minute of waiting for little that the others do not show.
  it(
    'F16 names take five seconds',
    { skip: full ? false : 'in npm run test:chaos' },
    inLabs(async (labs) => {
      await stand(
        labs,
        {
          row: 'F16',
          fault: 'names take five seconds',
          code: /CONNECTION_FAILED/,
          times: full ? 50 : 1,
          screen: 'the old program, then the new one, item after item',
          catches: [{ bug: asksNamesInTheWay, by: /stood still/ }],
        },
        (lab) => {
          let from = 0;
          return {
            begin: (_lab, run) => {
              from = run.said.length;
              return strikeSync(lab, () => lab.layer.set({ names: 3 }));
            },
            during: (_lab, run) => run.shows(lab.server.version),
            end: () => lab.layer.heal(),
            mayArrive: true,
            verdict: (_lab, run) => stoodStill(run, from),
          };
        },
      );
    }),
  );

  it(
    'F16 somebody else answers: a captive portal',
    inLabs(async (labs) => {
      const code = /TLS_PROTOCOL|CONNECTION_FAILED/;
      await stand(
        labs,
        {
          row: 'F16',
          fault: 'a captive portal',
          code,
          times: full ? 50 : 1,
          catches: [{ bug: triesInTheClear, by: /in the clear/ }],
        },
        (lab) => {
          const before = lab.proxy.plainRequests;
          return {
            begin: () =>
              strikeSync(lab, () => {
                lab.proxy.wire = { type: 'portal' };
              }),
            during: (_lab, run, from) => codeReported(run, code, from),
            end: () => {
              lab.proxy.wire = { type: 'whole' };
            },
            verdict: () => {
              const count = lab.proxy.plainRequests - before;
              return count > 0 ? `${count} requests to somebody else in the clear` : null;
            },
          };
        },
      );
    }),
  );
});

/** F15, F16: the network between player and server fails. */
import { describe, it } from 'node:test';
import { asksNamesInTheWay, fetchesAnew, goesDark, noNameNoScreen, triesInTheClear } from './support/bugs.ts';
import { type Lab, openLab, type Run, sleep } from './support/lab.ts';
import type { Ordeal } from './support/ordeal.ts';
import { full, seeded } from './support/record.ts';
import { codeReported, stand, stoodStill } from './support/row.ts';
import { picture } from './support/stage-server.ts';

const random = seeded(15);

/** An outage: a moment, in the full form 1 … 30 s, as many between 1 and 2 s as between 15 and 30. */
const outageMs = () => (full ? 1_000 * 30 ** random() : 20 + 300 * random());
/** What a wire carries in its last moments before it is cut. */
const drainMs = 250;
/** A cut loses the TLS record that is under way (RFC 8446 §5.2), whatever a player does. */
const recordBytes = 16_384 + 256;
/** A handshake with its certificates, heads of replies and a playlist, for each connection. */
const greetingBytes = 8_192;

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
const inLabs =
  (test: (labs: readonly Lab[]) => Promise<void>, atOnce = 5) =>
  async () => {
    const labs = await Promise.all(Array.from({ length: full ? atOnce : 1 }, () => openLab()));
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
      const flaps = full ? 20 : 3;
      const pieceBytes = 1_000_000;
      const sizeBytes = pieceBytes * (flaps + 1);
      const slow = { type: 'slow', bytesPerSecond: 2_000_000 } as const;
      let big = 0;
      const flapping = (lab: Lab): Ordeal => {
        const outagesMs = Array.from({ length: flaps }, outageMs);
        let [carried, connections, cuts] = [0, 0, 0];
        const wait = async (run: Run, bytes: number) => {
          const [from, giveUpAtMs] = [
            lab.proxy.carriedBytes,
            performance.now() + (run.bug === null ? 180_000 : 30_000),
          ];
          while (lab.proxy.carriedBytes < from + bytes && performance.now() < giveUpAtMs && !run.ended) await sleep(10);
        };
        return {
          begin: () => {
            [carried, connections] = [lab.proxy.carriedBytes, lab.proxy.connections];
            lab.proxy.wire = slow;
          },
          pictures: () => [picture(`flap ${big++}`, sizeBytes)],
          during: async (_lab, run) => {
            // A bug shows itself at the first two, however short, where they strike at a third.
            const [outages, strikeBytes] = run.bug === null ? [outagesMs, pieceBytes] : [[300, 300], sizeBytes / 3];
            for (const ms of outages) {
              // Each flap strikes a download that is so far; one that begins anew is struck once more at the same place.
              await wait(run, strikeBytes);
              if (run.ended) break;
              // What was carried arrives: the rest of a wire's last moments would be counted, and is nobody's.
              lab.proxy.wire = { type: 'stall' };
              await sleep(drainMs);
              lab.proxy.wire = { type: 'reset' };
              cuts++;
              await sleep(ms);
              lab.proxy.wire = slow;
            }
            await run.shows(lab.server.version);
          },
          end: () => {
            lab.proxy.wire = { type: 'whole' };
          },
          mayArrive: true,
          verdict: (_lab, run) => {
            const { connections: all, carriedBytes } = lab.proxy;
            const lost = recordBytes * cuts + greetingBytes * (all - connections);
            const moved = carriedBytes - carried - lost;
            const words = `${(moved / sizeBytes).toFixed(3)} times the program's bytes, and ${lost} about them`;
            process.stderr.write(`F15 with ${run.bug?.what ?? 'the player as it ships'}: ${cuts} cuts, ${words}\n`);
            return moved > 1.05 * sizeBytes ? `bytes too many: ${words}` : null;
          },
        };
      };
      await stand(
        labs,
        {
          row: 'F15',
          fault: `the network comes and goes, for ${full ? '1 to 30 s' : 'a moment'} each time`,
          code: /CONNECTION_FAILED/,
          strikes: flaps,
          times: full ? 10 : 1,
          catches: [{ bug: fetchesAnew, by: /bytes too many/ }],
        },
        flapping,
      );
    }, 10),
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

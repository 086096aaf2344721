/** F15, F16: the network between player and server fails. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Lab, openLab, sleep } from './support/lab.ts';
import { endure, type Ordeal } from './support/ordeal.ts';
import { full, seeded } from './support/record.ts';
import { codeReported, stand } from './support/row.ts';
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

describe('a network that fails', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  it('F15 the network comes and goes in the middle of a download, and nothing is fetched twice', async () => {
    const flaps = full ? 6 : 3;
    const sizeBytes = 3_000_000;
    const slow = { type: 'slow', bytesPerSecond: 2_000_000 } as const;
    let big = 0;
    const flapping = (): Ordeal => {
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
          if (run.kind === 'headless') await run.shows(lab.server.version);
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
    const code = /CONNECTION_FAILED/;
    const fault = 'the network comes and goes';
    await stand(lab, { row: 'F15', fault, code, strikes: flaps, times: full ? 10 : 1 }, flapping);
    // Against a player that fetches everything anew; it takes a minute.
    if (!full) return;
    const ordeal = flapping();
    const { wrong } = await endure(lab, 'headless', {
      ...ordeal,
      begin: async (...at) => {
        await ordeal.begin(...at);
        // A server that knows no ranges: everything comes anew.
        lab.server.faults.media = (request, response) => {
          delete request.headers.range;
          lab.server.answerRightly(request, response);
        };
      },
    });
    assert.match(wrong.join(), /bytes too many/, 'the row would not notice that everything is fetched twice');
  });

  it('F15 nine of ten packets are lost', async () => {
    await stand(
      lab,
      {
        row: 'F15',
        fault: '90 % of the packets are lost, then the connection',
        code: /CONNECTION_FAILED|CONNECTION_TIMEOUT|SERVER/,
        times: full ? 3 : 1,
      },
      () => ({
        begin: () => {
          lab.proxy.wire = { type: 'lossy', lost: 0.9, random };
        },
        during: async () => {
          await sleep(full ? 30_000 : 4_000);
          lab.proxy.wire = { type: 'reset' };
          await sleep(200);
        },
        end: () => {
          lab.proxy.wire = { type: 'whole' };
        },
        mayArrive: true,
      }),
    );
  });

  for (const [names, fault] of [
    [1, 'there is no such name'],
    [2, 'no name server answers'],
  ] as const)
    it(`F16 ${fault}`, async () => {
      const code = /NAME_UNRESOLVED/;
      await stand(lab, { row: 'F16', fault, code, times: full ? 10 : 1 }, () => ({
        begin: () => strikeSync(lab, () => lab.layer.set({ names })),
        during: (_lab, run, from) => codeReported(run, code, from),
        end: () => lab.layer.heal(),
      }));
    });

  // A minute of waiting for little that the others do not show.
  it('F16 names take five seconds', { skip: full ? false : 'in npm run test:chaos' }, async () => {
    const asserted = 'asserted by what is shown';
    await stand(
      lab,
      { row: 'F16', fault: 'names take five seconds', code: /CONNECTION_FAILED/, times: full ? 5 : 1, asserted },
      () => ({
        begin: () => strikeSync(lab, () => lab.layer.set({ names: 3 })),
        during: (_lab, run) => run.shows(lab.server.version),
        end: () => lab.layer.heal(),
        mayArrive: true,
      }),
    );
  });

  it('F16 somebody else answers: a captive portal', async () => {
    const code = /TLS_PROTOCOL|CONNECTION_FAILED/;
    await stand(lab, { row: 'F16', fault: 'a captive portal', code, times: full ? 10 : 1 }, () => ({
      begin: () =>
        strikeSync(lab, () => {
          lab.proxy.wire = { type: 'portal' };
        }),
      during: (_lab, run, from) => codeReported(run, code, from),
      end: () => {
        lab.proxy.wire = { type: 'whole' };
      },
    }));
  });
});

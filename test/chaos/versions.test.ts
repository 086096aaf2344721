/** F19, F25, F26: documents that are none, earlier ones, and one change after the other. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { playlistPath, pushUntil, strikes } from './support/answering.ts';
import * as bugs from './support/bugs.ts';
import { type Lab, openLab, sleep } from './support/lab.ts';
import { mutated } from './support/mutation.ts';
import { type Bug, type Program, plant, sound } from './support/planted.ts';
import { full, record, seeded } from './support/record.ts';
import { caughtAs, stand } from './support/row.ts';
import { picture } from './support/stage-server.ts';

const documents = full ? 100_000 : 300;
const changes = full ? 1_000 : 40;
/** Changes that are pushed without a pause. */
const burst = 5;
/** A change that a push told of is shown soon; one that was lost is found by the poll, after 49 s at the earliest. */
const lostMs = 30_000;
/** A change that no push tells of is found by the poll within 60 s; the rest is for a busy machine. */
const foundMs = 66_000;
const [untoldLabs, untoldTimes] = full ? [5, 10] : [1, 1];

/** @returns how long the change was not shown, milliseconds, or `null` when it was not within `foundMs` */
async function changeUntold(lab: Lab, program: Program, number: number): Promise<number | null> {
  lab.resetState();
  lab.server.faults.events = (_request, response) => void response.writeHead(404).end();
  lab.server.program([picture(`told ${number}`, 300)]);
  const run = lab.start(program);
  try {
    await run.shows(lab.server.version);
    // It has asked a moment ago, and so will not for as long as it ever waits.
    const changedAtMs = performance.now();
    lab.server.program([picture(`untold ${number}`, 300)]);
    const from = run.said.length;
    const shown = await run.shows(lab.server.version, from, foundMs).catch(() => null);
    assert.deepEqual([run.blanks(), run.corrupt.length], [0, 0]);
    return shown === null ? null : shown.atMs - changedAtMs;
  } finally {
    await run.kill();
  }
}

describe('documents', () => {
  let lab: Lab;
  /** Waited for while the other rows go on. */
  let untold: Promise<{ readonly found: readonly (number | null)[]; readonly planted: number | null }>;
  before(async () => {
    lab = await openLab();
    untold = followUntold();
    // Its failure is thrown where it is awaited.
    untold.catch(() => undefined);
  });
  after(() => lab.close());

  async function followUntold() {
    const labs = await Promise.all(Array.from({ length: untoldLabs + 1 }, () => openLab()));
    const [own, ...others] = labs as [Lab, ...Lab[]];
    let begun = 0;
    const found: (number | null)[] = [];
    const following = others.map(async (other) => {
      while (begun < untoldTimes) found.push(await changeUntold(other, sound, begun++));
    });
    try {
      const planted = await changeUntold(own, await plant(bugs.asksSeldom), -1);
      await Promise.all(following);
      return { found, planted };
    } finally {
      await Promise.allSettled(following);
      await Promise.all(labs.map((each) => each.close()));
    }
  }

  it('F19 mutated playlist documents', async () => {
    const random = seeded(19);
    let [served, least] = [0, documents];
    await stand(
      lab,
      {
        row: 'F19',
        fault: 'mutated playlist documents',
        code: /PLAYLIST_INVALID/,
        strikes: documents,
        screen: 'the last good program',
        catches: [{ bug: bugs.emptyForInvalid, by: /an empty display/ }],
      },
      () => {
        let good = '';
        served = 0;
        return {
          begin: () => {
            good = lab.server.document;
            lab.server.faults.playlist = (_request, response) => {
              served++;
              response.writeHead(200, { 'content-type': 'application/json' }).end(mutatedBadly(good, random));
            };
          },
          during: async (_lab, run) => {
            least = run.bug === null ? documents : 60;
            const giveUpAtMs = performance.now() + (full ? 3_000_000 : 150_000);
            for (let told = 0; served < least && performance.now() < giveUpAtMs && !run.ended; ) {
              lab.server.push();
              await sleep(4);
              if (!full || served - told < 5_000) continue;
              told = served;
              process.stderr.write(`F19: ${told} of ${least}\n`);
            }
          },
          end: () => {
            delete lab.server.faults.playlist;
          },
          // A mutation may leave a valid document: the same program, or one whose items come in another order.
          mayArrive: true,
          verdict: () => (served < least ? `${served} documents were served` : null),
        };
      },
    );
  });

  it('F25 a document of an earlier version', async () => {
    let number = 0;
    await stand(
      lab,
      {
        row: 'F25',
        fault: 'a document of an earlier version',
        code: /PLAYLIST_STALE/,
        strikes,
        times: full ? 10 : 1,
        screen: 'the newer program goes on',
        catches: [{ bug: bugs.anyVersion, by: /was shown/ }],
      },
      () => ({
        begin: async (_lab, run) => {
          const earlier = lab.server.document;
          lab.server.program([picture(`newer ${number++}`, 300)]);
          await run.shows(lab.server.version);
          lab.server.faults.playlist = (_request, response) =>
            void response.writeHead(200, { 'content-type': 'application/json' }).end(earlier);
        },
        during: async (_lab, run) => {
          await pushUntil(lab, run, playlistPath, strikes);
          await sleep(300);
        },
        end: () => {
          delete lab.server.faults.playlist;
        },
      }),
    );
  });

  interface Followed {
    readonly latencies: readonly number[];
    readonly blanks: number;
    readonly corrupt: number;
    readonly lost: number;
    readonly codes: readonly string[];
  }

  /** Change after change; the last of each burst must be shown. Ends early once something is wrong. */
  async function follow(program: Program, count: number): Promise<Followed> {
    lab.resetState();
    lab.server.program([picture('f26', 300)]);
    const run = lab.start(program);
    const random = seeded(20_265);
    const latencies: number[] = [];
    let lost = 0;
    try {
      await run.shows(lab.server.version);
      while (lab.server.listening === 0) await sleep(20);
      for (let change = 0; change < count && lost + run.blanks() + run.corrupt.length === 0; ) {
        const from = run.said.length;
        let changedAtMs = 0;
        for (let within = 0; within < burst; within++, change++) {
          changedAtMs = performance.now();
          lab.server.program([picture(`f26 ${program.bug?.what} ${change}`, 2_000)]);
          // Often in the middle of the sync that the one before has set off.
          await sleep(random() * 40);
        }
        const shown = await run.shows(lab.server.version, from, lostMs).catch(() => null);
        if (shown === null) lost++;
        else latencies.push(shown.atMs - changedAtMs);
      }
      return { latencies, blanks: run.blanks(), corrupt: run.corrupt.length, lost, codes: run.codes() };
    } finally {
      await run.kill();
    }
  }

  it('F26 one change after the other', async () => {
    const { latencies, blanks, corrupt, lost, codes } = await follow(sound, changes);
    assert.deepEqual({ blanks, corrupt, lost }, { blanks: 0, corrupt: 0, lost: 0 });
    const caught: string[] = [];
    const catches = async (bug: Bug, sign: 'lost' | 'blanks', seen: string) => {
      const planted = await follow(await plant(bug), 500);
      assert.ok(planted[sign] > 0, `the row would not notice a player that ${bug.what}`);
      caught.push(caughtAs(bug, seen));
    };
    await catches(bugs.losesChanges, 'lost', `a change was not shown within ${lostMs / 1_000} s`);
    await catches(bugs.swapsFirst, 'blanks', 'looks at an empty display');
    record({
      row: 'F26',
      fault: 'changes one after the other, five at a time',
      n: changes,
      screen: 'each new program, the last of each five for certain',
      reported: codes,
      recoveryMs: latencies,
      caught: caught.join('; '),
    });
  });

  it('F26 a change that no push tells of', async () => {
    const { found, planted } = await untold;
    assert.ok(
      found.length === untoldTimes && !found.includes(null),
      `not shown within ${foundMs} ms: ${JSON.stringify(found)}`,
    );
    assert.equal(planted, null, `the row would not notice a player that ${bugs.asksSeldom.what}`);
    record({
      row: 'F26',
      fault: 'a change that no push tells of',
      n: untoldTimes,
      screen: 'the new program',
      reported: [],
      recoveryMs: found.flatMap((ms) => ms ?? []),
      caught: caughtAs(bugs.asksSeldom, `the change was not shown within ${foundMs / 1_000} s`),
    });
  });
});

/** A mutation that leaves a valid document without anything to play is no fault: it is obeyed. */
function mutatedBadly(document: string, random: () => number): Buffer {
  for (;;) {
    const bytes = mutated(document, random);
    if (!saysNothingToPlay(bytes)) return bytes;
  }
}

function saysNothingToPlay(bytes: Buffer): boolean {
  try {
    const [first] = (JSON.parse(bytes.toString()) as { playlists: { predicate: unknown; is_enabled: unknown }[] })
      .playlists;
    if (typeof first?.predicate !== 'string' || typeof first.is_enabled !== 'boolean') return false;
    return first.predicate !== 'TRUE' || !first.is_enabled;
  } catch {
    return false;
  }
}

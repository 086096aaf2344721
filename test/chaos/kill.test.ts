/** F1: SIGKILL to the player at random instants of a sync. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { finalNames, playlistFirst } from './support/bugs.ts';
import { type Lab, openLab, type Run, sleep, versionOf } from './support/lab.ts';
import { type Program, plant, sound } from './support/planted.ts';
import { full, record, seeded } from './support/record.ts';
import { caughtAs } from './support/row.ts';
import { picture } from './support/stage-server.ts';

const kills = full ? 300 : 12;

interface Outcome {
  corrupt: number;
  blank: number;
  /** Starts after a kill that had nothing to show at first. */
  bare: number;
  wrongVersion: number;
  midSync: number;
  recoveryMs: number[];
  codes: Set<string>;
}

/** Kill, start, and look: what is on the display is the old program or the new one, whole; then let the sync end. */
async function killAgainAndAgain(
  lab: Lab,
  program: Program,
  times: number,
  seed: number,
  enough: (o: Outcome) => boolean,
): Promise<Outcome> {
  const random = seeded(seed);
  const outcome: Outcome = {
    corrupt: 0,
    blank: 0,
    bare: 0,
    wrongVersion: 0,
    midSync: 0,
    recoveryMs: [],
    codes: new Set(),
  };
  const pictures = () =>
    Array.from({ length: 3 }, (_, index) =>
      picture(`${program.bug?.what} ${lab.server.version} ${index}`, Math.ceil(random() * 1_500_000)),
    );
  const judge = (run: Run, allowed: readonly number[]) => {
    outcome.corrupt += run.corrupt.length;
    for (const code of run.codes()) outcome.codes.add(code);
    const shown = run.looks.filter((line) => line['actual'] !== null);
    outcome.wrongVersion += shown.filter((line) => !allowed.includes(versionOf(line))).length;
  };
  lab.resetState();
  lab.server.program(pictures());
  let run = lab.start(program);
  await run.shows(lab.server.version);
  let syncMs = 400;
  for (let kill = 0; kill < times && !enough(outcome); kill++) {
    const [old, from] = [lab.server.version, run.said.length];
    const changedAtMs = performance.now();
    lab.server.program(pictures());
    const next = lab.server.version;
    await sleep(random() * syncMs);
    await run.kill();
    judge(run, [old - 1, old, next]);
    outcome.blank += run.blanks(from);
    const wasPublished = run.said.slice(from).find(({ event }) => event === 'playlist-published');
    if (wasPublished === undefined) outcome.midSync++;
    else syncMs = 0.7 * syncMs + 0.3 * (wasPublished.atMs - changedAtMs) * 1.1;
    run = lab.start(program);
    const first = await run.until(
      'something on the display',
      (line) => line.event === 'eye' && line['actual'] !== null,
    );
    outcome.recoveryMs.push(first.atMs - run.startedAtMs);
    if (run.looks[0]?.['actual'] === null) outcome.bare++;
    if (full && outcome.recoveryMs.length % 50 === 0)
      process.stderr.write(`F1: ${outcome.recoveryMs.length} of ${times}\n`);
    const publishedAtMs = performance.now();
    await run.shows(next);
    if (wasPublished === undefined) syncMs = Math.max(150, 0.7 * syncMs + 0.3 * (performance.now() - publishedAtMs));
  }
  judge(run, [lab.server.version - 1, lab.server.version]);
  await run.kill();
  return outcome;
}

describe('F1 the player is killed in the middle of a sync', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  it('shows no corrupt or partial item, needs no repair, and resumes every time', async () => {
    const outcome = await killAgainAndAgain(lab, sound, kills, 20_261, () => false);
    const { corrupt, blank, bare, wrongVersion, midSync, recoveryMs } = outcome;
    assert.deepEqual({ corrupt, blank, bare, wrongVersion }, { corrupt: 0, blank: 0, bare: 0, wrongVersion: 0 });
    assert.equal(recoveryMs.length, kills);
    assert.ok(midSync >= kills / 5, `only ${midSync} of ${kills} kills struck a sync`);
    const caught: string[] = [];
    for (const [bug, sign] of [
      [finalNames, 'corrupt'],
      [playlistFirst, 'bare'],
    ] as const) {
      const planted = await killAgainAndAgain(lab, await plant(bug), 60, 20_262, (seen) => seen[sign] > 0);
      assert.ok(planted[sign] > 0, `the row would not notice a player that ${bug.what}`);
      const what = sign === 'corrupt' ? 'something corrupt on the display' : 'a start with nothing to show';
      caught.push(caughtAs(bug, `${what} after ${planted.recoveryMs.length} kills`));
    }
    record({
      row: 'F1',
      fault: 'SIGKILL at a random instant of a sync',
      n: kills,
      screen: 'the old program or the new one, whole',
      reported: [...outcome.codes],
      recoveryMs,
      caught: caught.join('; '),
    });
  });
});

/** F1: SIGKILL to the player at random instants of a sync. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fetchesAnew, finalNames, playlistFirst } from './support/bugs.ts';
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

const bigBytes = 8_000_000;

/** Kill in the middle of one big file. @returns bytes that came beyond that file's */
async function killInFile(lab: Lab, program: Program): Promise<{ excessBytes: number; recoveryMs: number }> {
  lab.resetState();
  lab.server.program([picture('small', 300)]);
  let run = lab.start(program);
  await run.shows(lab.server.version);
  while (lab.server.listening === 0) await sleep(20);
  lab.proxy.wire = { type: 'slow', bytesPerSecond: bigBytes / 2 };
  const carriedBefore = lab.proxy.carriedBytes;
  lab.server.program([picture(`big ${program.bug?.what}`, bigBytes)]);
  while (lab.proxy.carriedBytes - carriedBefore < bigBytes / 2 && !run.ended) await sleep(10);
  await run.kill();
  lab.proxy.wire = { type: 'whole' };
  run = lab.start(program);
  const shown = await run.shows(lab.server.version);
  await run.kill();
  return {
    excessBytes: lab.proxy.carriedBytes - carriedBefore - bigBytes,
    recoveryMs: shown.atMs - run.startedAtMs,
  };
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
      // On a slow wire nearly every kill strikes a file in its middle; on a quick one it is one kill in twenty.
      lab.proxy.wire = { type: 'slow', bytesPerSecond: 1_000_000 };
      const planted = await killAgainAndAgain(lab, await plant(bug), 60, 20_262, (seen) => seen[sign] > 0);
      lab.proxy.wire = { type: 'whole' };
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

  it('goes on with the file that was coming where it was', async () => {
    const { excessBytes, recoveryMs } = await killInFile(lab, sound);
    assert.ok(excessBytes < bigBytes / 4, `${excessBytes} bytes came twice`);
    const planted = await killInFile(lab, await plant(fetchesAnew));
    assert.ok(planted.excessBytes > bigBytes / 4, `the row would not notice a player that ${fetchesAnew.what}`);
    record({
      row: 'F1',
      fault: 'SIGKILL in the middle of one big file',
      n: 1,
      screen: 'the old program, then the new one',
      reported: [],
      recoveryMs: [recoveryMs],
      caught: caughtAs(fetchesAnew, `${planted.excessBytes} bytes came twice, not ${excessBytes}`),
    });
  });
});

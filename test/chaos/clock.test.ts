/** F14: somebody sets the clock. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sleepsThroughJumps } from './support/bugs.ts';
import { type Lab, openLab, type Run, type Said, sleep } from './support/lab.ts';
import { type Program, plant, sound } from './support/planted.ts';
import { full, record } from './support/record.ts';
import { caughtAs } from './support/row.ts';
import { picture } from './support/stage-server.ts';

const [minute, hour, year] = [60_000, 3_600_000, 365.25 * 86_400_000];
/** After a jump the right item must be there, kiosk design F14. A busy machine gets more. */
const soonMs = full ? 2_000 : 6_000;

/** Offsets of the clock, milliseconds, from the time that it is. */
function jumps(nowMs: number): readonly (readonly [what: string, offsetMs: number])[] {
  const to = (text: string) => Date.parse(text) - nowMs;
  return [
    ['an hour ahead', hour + minute],
    ['an hour back', -hour],
    ['a year ahead', year],
    ['a year back', -year],
    ['1970', to('1970-01-01T00:00:10Z')],
    ['past 2038', to('2038-01-19T03:14:08Z')],
    ['2099', to('2099-12-31T23:59:59Z')],
    ['the hour that comes twice', to('2026-10-25T01:30:00Z')],
    ['the hour that does not exist', to('2027-03-28T01:00:00Z')],
    ['a leap day', to('2028-02-29T12:00:00Z')],
  ];
}

interface Followed {
  readonly wrong: string[];
  readonly recoveryMs: number[];
  readonly codes: readonly string[];
}

describe('F14 the clock is set', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  /** One program before an instant, another from it on; the clock jumps to and fro across it. */
  async function follow(program: Program, rounds: number): Promise<Followed> {
    lab.resetState();
    const nowMs = Date.now();
    const turnMs = nowMs + hour;
    lab.server.programs([
      { predicate: `$DATE < ${turnMs}`, pictures: [picture('before', 300)] },
      { predicate: `$DATE >= ${turnMs}`, pictures: [picture('after', 300)] },
    ]);
    const run: Run = lab.start(program);
    const wrong: string[] = [];
    const recoveryMs: number[] = [];
    const expected = (offsetMs: number) => (nowMs + offsetMs < turnMs ? 0 : 1);
    let atOffsetMs = 0;
    const jump = async (what: string, offsetMs: number) => {
      const from = run.said.length;
      const jumpedAtMs = performance.now();
      lab.layer.set({ clockOffsetMs: offsetMs });
      const is = (line: Said, place: number) => String(line['itemId']).endsWith(`-${place}`);
      const place = expected(offsetMs);
      const right = run.until(what, (line) => line.event === 'eye' && is(line, place), from, soonMs);
      const shown = await right.catch(() => null);
      if (shown === null) wrong.push(`${what}: not the right item within ${soonMs} ms`);
      else if (place !== expected(atOffsetMs)) recoveryMs.push(shown.atMs - jumpedAtMs);
      atOffsetMs = offsetMs;
      const after = run.said.length;
      await sleep(150);
      const looks = run.said.slice(after).filter(({ event }) => event === 'eye');
      if (looks.some((line) => !is(line, place))) wrong.push(`${what}: the wrong item came back`);
      // A clock that jumped once is told of once or twice, not for ever.
      const told = run.said.slice(from).filter(({ event }) => event === 'clock-jumped').length;
      if (told > 3) wrong.push(`${what}: looked at ${told} times`);
    };
    try {
      await run.until('an item', (line) => line.event === 'eye' && line['actual'] !== null);
      for (let round = 0; round < rounds; round++)
        for (const [what, offsetMs] of jumps(nowMs)) {
          // A planted bug is caught by its first wrong item.
          if (program.bug !== null && wrong.length > 0) break;
          await jump(what, offsetMs);
          await jump(`back from ${what}`, 0);
        }
      if (run.blanks() > 0) wrong.push(`${run.blanks()} looks at an empty display`);
    } catch (thrown) {
      wrong.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
    if (run.crashed) wrong.push(`the player ended: ${run.stderr.slice(-300)}`);
    lab.layer.heal();
    await run.kill();
    const codes = run.said.flatMap(({ event, code }) => (event === 'clock-jumped' ? [event] : code ? [`${code}`] : []));
    return { wrong, recoveryMs, codes: [...new Set(codes)] };
  }

  it('the right item is there at once, wherever the clock jumps to', async () => {
    const rounds = full ? 6 : 1;
    const { wrong, recoveryMs, codes } = await follow(sound, rounds);
    assert.deepEqual(wrong, []);
    assert.ok(codes.includes('clock-jumped'), 'the jump is reported');
    const planted = await follow(await plant(sleepsThroughJumps), 1);
    const seen = planted.wrong.find((text) => text.includes('not the right item'));
    assert.ok(seen, `the row would not notice a player that ${sleepsThroughJumps.what}: ${planted.wrong}`);
    record({
      row: 'F14',
      fault: 'the clock jumps: an hour, a year, 1970, past 2038, summer time, a leap day, and back',
      n: rounds * 20,
      screen: 'what the schedule says of the new time',
      reported: codes,
      recoveryMs,
      caught: caughtAs(sleepsThroughJumps, seen),
    });
  });
});

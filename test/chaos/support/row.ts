/** A row of the table: the player endures a fault, so many times, and a player with a planted bug is caught by it. */
import assert from 'node:assert/strict';
import type { Lab, Run } from './lab.ts';
import { type Endured, endure, type Ordeal, type Patience } from './ordeal.ts';
import { type Bug, plant, sound } from './planted.ts';
import { record } from './record.ts';

/** What must notice a bug, in the words of `Endured.wrong`. A player that merely ended is not caught. */
export interface Catch {
  readonly bug: Bug;
  readonly by: RegExp;
}

export interface Fault {
  /** Number in the fault matrix. */
  readonly row: string;
  readonly fault: string;
  /** The codes of which one must be reported; absent where there is nothing to report. */
  readonly code?: RegExp;
  /** How often the fault strikes in one ordeal, 1 where absent. */
  readonly strikes?: number;
  /** How many ordeals. */
  readonly times?: number;
  readonly screen?: string;
  readonly catches: readonly [Catch, ...Catch[]];
}

/**
 * A player with a planted bug has no claim to a busy machine's excuses: what does not come soon, does not come. Where
 * something else than its absence is to be seen, nobody waits for it, and the ordeal ends once it is seen.
 */
const patienceFor = ({ by }: Catch, factor: number): Patience =>
  by.source.includes('not within')
    ? { startMs: 10_000 * factor, endMs: 8_000 * factor }
    : { startMs: 120_000, endMs: 1_500 * factor, enough: by };

/** A machine so busy that a bug had no time to show itself gives it more. */
const factors = [1, 4, 10];

const wrongOf = ({ wrong, codes, arrived }: Endured, code: RegExp | undefined): readonly string[] =>
  code === undefined || arrived || code.test(codes.join(' '))
    ? wrong
    : [...wrong, `not reported: ${code} (${codes.join(' ')})`];

/**
 * @param where a lab, or several that the ordeals are shared between at once, those of the planted bugs too: for faults
 * that are waited for
 * @param make a new ordeal for each time
 */
export async function stand(where: Lab | readonly Lab[], fault: Fault, make: (lab: Lab) => Ordeal): Promise<void> {
  const { row, fault: name, code, strikes = 1, times = 1 } = fault;
  const labs = 'folder' in where ? [where] : where;
  const recoveryMs: number[] = [];
  const codes = new Set<string>();
  let begun = 0;
  const enduring = async (lab: Lab) => {
    while (begun < times) {
      const time = ++begun;
      const endured = await endure(lab, sound, make(lab));
      assert.deepEqual(wrongOf(endured, code), [], `time ${time} of ${times}`);
      recoveryMs.push(endured.recoveryMs);
      for (const said of endured.codes) codes.add(said);
      if (recoveryMs.length % 10 === 0) process.stderr.write(`${row} ${name}: ${recoveryMs.length} of ${times}\n`);
    }
  };
  const caught: string[] = [];
  const catching = async (lab: Lab) => {
    for (const wanted of fault.catches) caught.push(await seenAt(lab, wanted, code, () => make(lab)));
  };
  const last = labs.at(-1) as Lab;
  const ends = labs.map((lab) =>
    (lab === last && labs.length > 1 ? catching(lab).then(() => enduring(lab)) : enduring(lab)).catch(
      (thrown: unknown) => {
        begun = times;
        throw thrown;
      },
    ),
  );
  for (const end of await Promise.allSettled(ends)) if (end.status === 'rejected') throw end.reason;
  if (labs.length === 1) await catching(last);
  const { screen = 'the old program, then the next right one' } = fault;
  record({ row, fault: name, n: strikes * times, screen, reported: [...codes], recoveryMs, caught: caught.join('; ') });
}

async function seenAt(lab: Lab, wanted: Catch, code: RegExp | undefined, make: () => Ordeal): Promise<string> {
  const { bug, by } = wanted;
  const program = await plant(bug);
  let wrong: readonly string[] = [];
  for (const factor of factors) {
    wrong = wrongOf(await endure(lab, program, make(), patienceFor(wanted, factor)), code);
    const seen = wrong.find((text) => by.test(text) && !text.startsWith('the player ended'));
    if (seen !== undefined) return caughtAs(bug, seen);
    process.stderr.write(
      `not seen with patience ${factor}: ${bug.what} (${wrong.join('; ').slice(0, 300) || 'nothing'})\n`,
    );
  }
  assert.fail(`a player that ${bug.what} was not caught by ${by}, but by: ${wrong.join('\n') || 'nothing'}`);
}

/** What the table says of a bug that was caught. */
export function caughtAs({ what }: Bug, seen: string): string {
  return `${what}: ${seen.split('\n')[0]}`;
}

/** Until a line with such a code is written; a planted bug may keep it from being written, and gets a moment. */
export async function codeReported(run: Run, code: RegExp, from: number, momentMs = 3_000): Promise<void> {
  const withinMs = run.bug === null ? undefined : momentMs;
  await run.until(`${code}`, (line) => code.test(String(line['code'])), from, withinMs).catch(() => undefined);
}

/** Items follow each other ten times a second here; a machine may be busy with other things for a while. */
const mostStillMs = 4_000;

/** @param from line that the fault begins at */
export function stoodStill(run: Run, from: number): string | null {
  const stillMs = Math.round(run.stillMs(from));
  return stillMs > mostStillMs ? `the display stood still for ${stillMs} ms` : null;
}

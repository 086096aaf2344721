/** A row of the table: the player endures a fault, so many times, and a player as it must not be is caught by it. */
import assert from 'node:assert/strict';
import type { Lab, Run } from './lab.ts';
import { sleep } from './lab.ts';
import { endure, type Ordeal } from './ordeal.ts';
import { record } from './record.ts';

export interface Fault {
  /** Number in the fault matrix. */
  readonly row: string;
  readonly fault: string;
  /** The codes of which one must be reported. */
  readonly code: RegExp;
  /** How often the fault strikes in one ordeal, 1 where absent. */
  readonly strikes?: number;
  /** How many ordeals. */
  readonly times?: number;
  readonly screen?: string;
  /** Where the naive player would not fail: how else the row is known to notice. */
  readonly asserted?: string;
}

/** @param make a new ordeal for each time */
export async function stand(lab: Lab, fault: Fault, make: () => Ordeal): Promise<void> {
  const { strikes = 1, times = 1, screen = 'the old program, then the next right one' } = fault;
  const recoveryMs: number[] = [];
  const codes = new Set<string>();
  for (let time = 0; time < times; time++) {
    const endured = await endure(lab, 'headless', make());
    assert.deepEqual(endured.wrong, [], `time ${time + 1} of ${times}`);
    recoveryMs.push(endured.recoveryMs);
    for (const code of endured.codes) codes.add(code);
    if (times >= 10 && (time + 1) % 10 === 0)
      process.stderr.write(`${fault.row} ${fault.fault}: ${time + 1} of ${times}\n`);
  }
  assert.match([...codes].join(' '), fault.code, 'the fault is reported');
  let caught = fault.asserted;
  if (caught === undefined) {
    const naive = await endure(lab, 'naive', make());
    assert.notDeepEqual(naive.wrong, [], 'the row would not notice a player that believes everything');
    caught = `${naive.wrong[0]}`.split('\n')[0] ?? '';
  }
  const { row, fault: name } = fault;
  record({ row, fault: name, n: strikes * times, screen, reported: [...codes], recoveryMs, caught });
}

/** Until a line with such a code is written; somebody who writes none gets a moment. */
export async function codeReported(run: Run, code: RegExp, from: number): Promise<void> {
  const report = run.until(`${code}`, (line) => code.test(String(line['code'])), from).catch(() => undefined);
  await (run.kind === 'naive' ? Promise.race([report, sleep(1_500)]) : report);
}

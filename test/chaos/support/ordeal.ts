/** One fault from its beginning to the right picture after its end, and what a player must not do meanwhile. */
import { type Kind, type Lab, type Run, sleep } from './lab.ts';
import type { SmallDisk } from './small-disk.ts';
import { picture } from './stage-server.ts';

export interface Ordeal {
  /** Bring the fault about. A new program, version + 1, is pushed right after it. */
  begin(lab: Lab, run: Run): void | Promise<void>;
  /** What the pushed program is made of; two pictures where absent. */
  readonly pictures?: (lab: Lab) => readonly Buffer[];
  readonly media?: object;
  /** Wait until the fault has struck often enough. */
  during(lab: Lab, run: Run, from: number): Promise<unknown>;
  end(lab: Lab, run: Run): void | Promise<void>;
  /** What the state folder lies on. */
  readonly disk?: (lab: Lab) => SmallDisk;
  /** Whether nothing can be on the display while the fault lasts. */
  readonly mayBlank?: boolean;
  /** Anything else that must not have happened: the reason, else `null`. */
  readonly verdict?: (lab: Lab, run: Run) => string | null;
  /** Whether the pushed program may be shown while the fault lasts, for it only slows things down. */
  readonly mayArrive?: boolean;
}

export interface Endured {
  /** What was wrong; empty: all was well. */
  readonly wrong: readonly string[];
  readonly codes: readonly string[];
  readonly notices: readonly string[];
  readonly recoveryMs: number;
}

/** Resident set that a fault may cost, bytes: kiosk design F18, and what the collector of garbage has not got to yet. */
const mostGrowthBytes = 96 * 2 ** 20;

/** A player as it must not be has no claim to a busy machine's excuses: what does not come soon, does not come. */
const patience: Readonly<Record<Kind, number>> = { headless: 120_000, naive: 5_000 };

/** Programs that a player takes before its memory is looked at: code is compiled and pools are filled by then. */
const warmUps = 3;

async function warmUp(lab: Lab, run: Run): Promise<void> {
  for (let turn = 0; turn < warmUps; turn++) {
    lab.server.program([picture(`o${serial++}`, 1_500_000), picture(`o${serial++}`, 300)]);
    await run.shows(lab.server.version);
  }
  // It tells of its memory four times a second, and a quick machine is done before that.
  const told = run.rssBytes.length;
  while (run.rssBytes.length < told + 2) await sleep(50);
}

let serial = 0;

/**
 * A program plays; the fault begins, and a program is pushed that cannot be had; the fault ends, and another is pushed.
 * The first must have played throughout, whole, and the last one must come by itself.
 */
export async function endure(lab: Lab, kind: Kind, ordeal: Ordeal): Promise<Endured> {
  const two = () => [picture(`o${serial++}`, 40_000), picture(`o${serial++}`, 300)];
  lab.resetState();
  lab.server.program(two());
  const run = lab.start(kind, false, ordeal.disk?.(lab));
  const patienceMs = patience[kind];
  const wrong: string[] = [];
  let recoveryMs = Number.NaN;
  try {
    await run.shows(lab.server.version, 0, patience.headless);
    if (kind === 'headless') {
      while (lab.server.listening === 0) await sleep(20);
      await warmUp(lab, run);
    }
    const before = lab.server.version;
    const from = run.said.length;
    const calmBytes = Math.max(0, ...run.rssBytes);
    await ordeal.begin(lab, run);
    lab.server.program(ordeal.pictures?.(lab) ?? two(), ordeal.media === undefined ? {} : { media: ordeal.media });
    const meanwhile = lab.server.version;
    await ordeal.during(lab, run, from);
    const until = run.said.length;
    await ordeal.end(lab, run);
    const endedAtMs = performance.now();
    lab.server.program(two());
    const shown = await run.shows(lab.server.version, until, patienceMs);
    recoveryMs = shown.atMs - endedAtMs;
    const looks = run.said.slice(from, until).filter(({ event, actual }) => event === 'eye' && actual !== null);
    const strange = looks.filter(({ itemId }) => !String(itemId).startsWith(`v${before}-`));
    if (!ordeal.mayArrive && strange.length > 0)
      wrong.push(`version ${meanwhile} was shown: ${strange[0]?.['itemId']}`);
    if (!ordeal.mayBlank && run.blanks(from) > 0) wrong.push(`${run.blanks(from)} looks at an empty display`);
    const growth = Math.max(0, ...run.rssBytes) - calmBytes;
    if (growth > mostGrowthBytes) wrong.push(`${Math.round(growth / 2 ** 20)} MiB more memory`);
  } catch (thrown) {
    wrong.push(thrown instanceof Error ? thrown.message : String(thrown));
  }
  if (run.crashed) wrong.push(`the player ended: ${run.stderr.slice(-300)}`);
  if (run.corrupt.length > 0) wrong.push(`${run.corrupt.length} looks at something corrupt`);
  const more = ordeal.verdict?.(lab, run) ?? null;
  if (more !== null) wrong.push(more);
  try {
    await ordeal.end(lab, run);
  } finally {
    await run.kill();
  }
  lab.layer.heal();
  for (const kindOfRequest of ['playlist', 'events', 'media'] as const) delete lab.server.faults[kindOfRequest];
  lab.proxy.wire = { type: 'whole' };
  const notices = run.said.flatMap((line) =>
    line.event === 'screen' && line['notice'] !== null ? [String(line['notice'])] : [],
  );
  return { wrong, codes: run.codes(), notices: [...new Set(notices)], recoveryMs };
}

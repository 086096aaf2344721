/** One fault from its beginning to the right picture after its end, and what a player must not do meanwhile. */
import { type Lab, type Run, sleep } from './lab.ts';
import type { Program } from './planted.ts';
import type { SmallDisk } from './small-disk.ts';
import { picture } from './stage-server.ts';

export interface Ordeal {
  /** Bring the fault about. A new program, version + 1, is pushed right after it. */
  begin(lab: Lab, run: Run): void | Promise<void>;
  /** What the pushed program is made of; two pictures where absent. */
  readonly pictures?: (lab: Lab) => readonly Buffer[];
  readonly media?: object;
  /** What the program after the fault is made of; two pictures where absent. */
  readonly last?: (lab: Lab) => readonly Buffer[];
  /** Wait until the fault has struck often enough. */
  during(lab: Lab, run: Run, from: number): Promise<unknown>;
  end(lab: Lab, run: Run): void | Promise<void>;
  /** What the state folder lies on. */
  readonly disk?: (lab: Lab) => SmallDisk;
  /** Whether the player has nothing yet when the fault begins, right at its start. */
  readonly isBare?: boolean;
  /** Whether memory is looked at again after the end, once garbage was collected. */
  readonly keepsNothing?: boolean;
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
  /** The pushed program came through the fault, which then need not have been noticed. */
  readonly arrived: boolean;
  readonly notices: readonly string[];
  readonly events: readonly string[];
  readonly recoveryMs: number;
}

/** Memory that a fault may cost at its peak: kiosk design F18, and what the collector of garbage has not got to yet. */
export const mostGrowthBytes = 96 * 2 ** 20;

/** Memory that may be held of a fault once it has ended and garbage was collected: kiosk design F18. */
const mostKeptBytes = 16 * 2 ** 20;

/** How long the first picture, and the right one after the end, may take. */
export interface Patience {
  readonly startMs: number;
  readonly endMs: number;
  /** A symptom that ends the ordeal as soon as it is seen: of a planted bug, which need not be waited for. */
  readonly enough?: RegExp;
}

/** With a busy machine; nothing is measured against it. */
const patient: Patience = { startMs: 120_000, endMs: 120_000 };

/** What a fault leads to is seen before it ends: so long that the eye looks ten times. */
const seenMs = 250;

/** Programs that a player takes before its memory is looked at: code is compiled and pools are filled by then. */
const warmUps = 3;

async function warmUp(lab: Lab, run: Run): Promise<void> {
  for (let turn = 0; turn < warmUps; turn++) {
    lab.server.program([picture(`o${serial++}`, 1_500_000), picture(`o${serial++}`, 300)]);
    await run.shows(lab.server.version);
  }
  // It tells of its memory four times a second, and a quick machine is done before that.
  const told = run.peakBytes.length;
  while (run.peakBytes.length < told + 2 && !run.ended) await sleep(50);
}

/** Ends an ordeal whose planted bug was seen. */
class Enough extends Error {}

async function untilSeen(symptom: RegExp, seen: () => readonly string[], run: Run): Promise<void> {
  while (!run.ended && !seen().some((text) => symptom.test(text))) await sleep(50);
}

let serial = 0;

/**
 * A program plays; the fault begins, and a program is pushed that cannot be had; the fault ends, and another is pushed.
 * The first must have played throughout, whole, and the last one must come by itself.
 */
export async function endure(
  lab: Lab,
  program: Program,
  ordeal: Ordeal,
  { startMs, endMs, enough }: Patience = patient,
): Promise<Endured> {
  const two = () => [picture(`o${serial++}`, 40_000), picture(`o${serial++}`, 300)];
  lab.resetState();
  lab.server.program(two());
  const run = lab.start(program, false, ordeal.disk?.(lab), ordeal.keepsNothing);
  const wrong: string[] = [];
  let recoveryMs = Number.NaN;
  /** Lines that the fault was about to begin at, had begun at and ended at. */
  let [from, begun, until] = [0, 0, Number.POSITIVE_INFINITY];
  let [before, meanwhile] = [0, 0];
  let calmBytes = Number.POSITIVE_INFINITY;
  let heldBefore = Number.NaN;
  /** What was wrong on the display and in memory so far. No time mends it: it may be asked at any moment. */
  const seen = (): string[] => {
    const found: string[] = [];
    if (meanwhile > 0) {
      const looks = run.said.slice(begun, until).filter(({ event, actual }) => event === 'eye' && actual !== null);
      const strange = looks.filter(({ itemId }) => !String(itemId).startsWith(`v${before}-`));
      if (!ordeal.mayArrive && strange.length > 0)
        found.push(`version ${meanwhile} was shown: ${strange[0]?.['itemId']}`);
      if (!ordeal.mayBlank && run.blanks(from) > 0) found.push(`${run.blanks(from)} looks at an empty display`);
      const growth = Math.max(0, ...run.peakBytes) - calmBytes;
      if (growth > mostGrowthBytes) found.push(`${Math.round(growth / 2 ** 20)} MiB more memory`);
    }
    if (run.corrupt.length > 0) found.push(`${run.corrupt.length} looks at something corrupt`);
    return found;
  };
  let during: Promise<unknown> = Promise.resolve();
  try {
    if (!ordeal.isBare) {
      await run.shows(lab.server.version, 0, startMs);
      while (lab.server.listening === 0 && !run.ended) await sleep(20);
      await warmUp(lab, run);
      calmBytes = run.peakBytes.at(-1) ?? calmBytes;
      if (ordeal.keepsNothing) heldBefore = await run.heldBytes();
    }
    from = run.said.length;
    await ordeal.begin(lab, run);
    begun = run.said.length;
    before = lab.server.version;
    lab.server.program(ordeal.pictures?.(lab) ?? two(), ordeal.media === undefined ? {} : { media: ordeal.media });
    meanwhile = lab.server.version;
    during = ordeal.during(lab, run, from);
    during.catch(() => undefined);
    if (enough !== undefined) await Promise.race([during, untilSeen(enough, seen, run)]);
    if (enough !== undefined && seen().some((text) => enough.test(text))) throw new Enough();
    await during;
    await sleep(seenMs);
    until = run.said.length;
    await ordeal.end(lab, run);
    const endedAtMs = performance.now();
    lab.server.program(ordeal.last?.(lab) ?? two());
    const shown = await run.shows(lab.server.version, until, endMs);
    recoveryMs = shown.atMs - endedAtMs;
    if (ordeal.keepsNothing) {
      const kept = (await run.heldBytes()) - heldBefore;
      if (kept > mostKeptBytes) wrong.push(`${Math.round(kept / 2 ** 20)} MiB are kept after its end`);
    }
  } catch (thrown) {
    if (!(thrown instanceof Enough)) wrong.push(thrown instanceof Error ? thrown.message : String(thrown));
  }
  wrong.push(...seen());
  if (run.crashed) wrong.push(`the player ended: ${run.stderr.slice(-300)}`);
  const more = ordeal.verdict?.(lab, run) ?? null;
  if (more !== null) wrong.push(more);
  try {
    await ordeal.end(lab, run);
  } finally {
    await run.kill();
  }
  // Ended early, it may still be at the wire or the server; it ends with the player.
  await during.catch(() => undefined);
  lab.layer.heal();
  for (const kindOfRequest of ['playlist', 'events', 'media'] as const) delete lab.server.faults[kindOfRequest];
  lab.proxy.wire = { type: 'whole' };
  const notices = run.said.flatMap((line) =>
    line.event === 'screen' && line['notice'] !== null ? [String(line['notice'])] : [],
  );
  const events = [...new Set(run.said.map(({ event }) => event))];
  const arrived =
    ordeal.mayArrive === true &&
    run.said.slice(begun).some(({ event, itemId }) => event === 'eye' && String(itemId).startsWith(`v${meanwhile}-`));
  return { wrong, codes: run.codes(), arrived, notices: [...new Set(notices)], events, recoveryMs };
}

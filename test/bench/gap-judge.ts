/** What the recorded changes of a display say about transitions: pure. */
import type { Mark, Sight } from './marks.ts';
import type { Change } from './recorder.ts';

/** A frame of the display at 60 Hz. */
export const frameMs = 1000 / 60;

/** One item taking the place of another. */
export interface Passage {
  readonly from: number;
  readonly to: number;
  /** First whole frame of the new item. */
  readonly atMs: number;
  /** From the old item's last frame to the new one's first. */
  readonly gapMs: number;
  /** Frames of the display, at 60 Hz, that were empty. */
  readonly blackFrames: number;
  /** Frames of the display that showed neither item, or the new one not at its beginning, or the old one again. */
  readonly wrongFrames: number;
}

export interface Judgement {
  readonly passages: readonly Passage[];
  /** Black and wrong frames within an item, away from any passage. */
  readonly blackWithin: number;
  readonly wrongWithin: number;
}

/** A new clip may have gone this far before its first frame was seen whole. */
const latestFirstFrame = 2;

/** A display that is painted shows two pictures for a while; longer than a frame and a half is no painting. */
const longestPaintingMs = frameMs * 1.5;

const frames = (ms: number) => Math.max(1, Math.round(ms / frameMs));

interface Run {
  readonly sight: Sight;
  readonly fromMs: number;
  readonly untilMs: number;
}

function runsOf(changes: readonly Change[], endMs: number): Run[] {
  return changes.map(({ sight, atMs }, at) => ({
    sight,
    fromMs: atMs,
    untilMs: changes[at + 1]?.atMs ?? endMs,
  }));
}

/**
 * @param round the items in playing order, over and over
 * @param moving the items whose frames move
 * @param endMs until when was recorded
 */
export function judge(
  changes: readonly Change[],
  round: readonly number[],
  moving: ReadonlySet<number>,
  endMs: number,
): Judgement {
  const passages: Passage[] = [];
  const within = { black: 0, wrong: 0 };
  let doubt = { black: 0, wrong: 0 };
  let shown: { readonly mark: Mark; readonly sinceMs: number; readonly lastMs: number } | null = null;
  let places = round.map((_, at) => at);
  for (const { sight, fromMs, untilMs } of runsOf(changes, endMs)) {
    const ms = untilMs - fromMs;
    if (sight === 'black') doubt.black += frames(ms);
    else if (sight === 'torn') doubt.wrong += ms > longestPaintingMs ? frames(ms) : 0;
    else if (shown === null || sight.item === shown.mark.item) {
      const back: boolean = shown !== null && moving.has(sight.item) && isBack(shown.mark.frame, sight.frame);
      within.black += shown === null ? 0 : doubt.black;
      within.wrong += (shown === null ? 0 : doubt.wrong) + (back ? frames(ms) : 0);
      if (shown === null) places = places.filter((place) => round[place] === sight.item);
      doubt = { black: 0, wrong: 0 };
      shown = { mark: sight, sinceMs: fromMs, lastMs: untilMs };
    } else {
      const onward: number[] = places
        .map((place) => (place + 1) % round.length)
        .filter((place) => round[place] === sight.item);
      if (onward.length === 0) {
        // None of the two: the item that was shown is still the one that is to be followed.
        const others = round.flatMap((item, place) => (item === sight.item ? [place] : []));
        doubt.wrong += frames(ms);
        if (others.length === 0 || ms < 10 * frameMs) continue;
        places = others;
        shown = { mark: sight, sinceMs: fromMs, lastMs: untilMs };
        continue;
      }
      const late = moving.has(sight.item) && sight.frame > latestFirstFrame;
      passages.push({
        from: shown.mark.item,
        to: sight.item,
        atMs: fromMs,
        gapMs: fromMs - (moving.has(shown.mark.item) ? shown.sinceMs : shown.lastMs),
        blackFrames: doubt.black,
        wrongFrames: doubt.wrong + (late ? 1 : 0),
      });
      places = onward;
      doubt = { black: 0, wrong: 0 };
      shown = { mark: sight, sinceMs: fromMs, lastMs: untilMs };
    }
  }
  return { passages, blackWithin: within.black, wrongWithin: within.wrong };
}

/** Whether a clip has gone back without beginning anew. */
function isBack(before: number, now: number): boolean {
  const ahead = (now - before + 256) % 256;
  return ahead > 128 && now > latestFirstFrame;
}

/** Times between the frames of one moving item, milliseconds. */
export function frameTimes(changes: readonly Change[], item: number): number[] {
  const starts = changes.flatMap(({ sight, atMs }) => (typeof sight !== 'string' && sight.item === item ? [atMs] : []));
  return starts.slice(1).map((atMs, at) => atMs - (starts[at] ?? atMs));
}

/** Frames of each whole pass of a clip that was shown over and over, and the time from its last frame to its first. */
export function passesOf(changes: readonly Change[], item: number, length: number) {
  const passes: { readonly shown: number; readonly loopMs: number }[] = [];
  let [shown, place, whole] = [0, -1, false];
  let lastMs = 0;
  for (const { sight, atMs } of changes) {
    if (typeof sight === 'string' || sight.item !== item) continue;
    const ahead = (sight.frame - place + 512) % 256;
    if (place >= 0 && ahead === 0) continue;
    // Frames are counted modulo 256: a clip has begun anew when it is at its first frames though its end was near.
    const anew = sight.frame <= latestFirstFrame && (place < 0 || place > length - 30);
    if (anew && place >= 0 && whole) passes.push({ shown, loopMs: atMs - lastMs });
    if (anew) [shown, place, whole] = [0, sight.frame, true];
    else place += ahead;
    shown += 1;
    lastMs = atMs;
  }
  return passes;
}

/** Lateness of each start against a schedule that begins with the least late one, and what it grows by in 1,000. */
export function driftOf(startsMs: readonly number[], itemMs: number) {
  const offsets = startsMs.map((atMs, at) => atMs - at * itemMs);
  const least = Math.min(...offsets);
  const lateness = offsets.map((offset) => offset - least);
  const middle = (startsMs.length - 1) / 2;
  const mean = lateness.reduce((sum, late) => sum + late, 0) / lateness.length;
  const [along, square] = lateness.reduce(
    ([sum, squares], late, at) => [sum + (at - middle) * (late - mean), squares + (at - middle) ** 2],
    [0, 0],
  );
  return { maxMs: Math.max(...lateness), per1000Ms: square === 0 ? 0 : (along / square) * 1000 };
}

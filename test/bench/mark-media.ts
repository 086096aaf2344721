/** The test media of `gap`: pictures and pages drawn here, clips and streams from test/fixtures/marks. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pngOf } from '../support/png.ts';
import { bars, barsOf } from './marks.ts';

export const kinds = ['image', 'video', 'page', 'stream'] as const;
export type Kind = (typeof kinds)[number];

/** Two items of each kind, so that a kind can follow on itself. */
export const itemsOf: Readonly<Record<Kind, readonly [number, number]>> = {
  image: [1, 2],
  video: [5, 6],
  page: [9, 10],
  stream: [7, 8],
};

/** Those whose frames move. */
export const moving: ReadonlySet<number> = new Set([...itemsOf.video, ...itemsOf.stream]);

export const clipFile = (item: number) => resolve('test/fixtures/marks', `video-${item}.mp4`);

/** Frames of the first clip, 30 a second. */
export const clipFrames = 600;

export const readClip = (item: number) => readFileSync(clipFile(item));

/** A grey picture of 1280 × 720 with an item's bars. */
export function picture(item: number): Buffer {
  const [width, height] = [1280, 720];
  const white = barsOf({ item, frame: 0 });
  const row = Buffer.alloc(width + 1);
  for (let x = 0; x < width; x += 1) row[x + 1] = white[Math.floor((x * bars) / width)] ? 255 : 0;
  return pngOf(
    width,
    height,
    'grey',
    Array.from({ length: height }, () => row),
  );
}

/** A web page of an item's bars. */
export function pageOf(item: number): string {
  const white = barsOf({ item, frame: 0 });
  const cells = white.map((is) => `<i style="background:${is ? '#fff' : '#000'}"></i>`).join('');
  const style = 'html,body{margin:0;height:100%;cursor:none}body{display:flex}i{flex:1}';
  return `<!doctype html><meta charset="utf-8"><title>${item}</title><style>${style}</style>${cells}`;
}

/** A file of the streams, by its name; `null` where there is none. */
export function readStream(name: string): Buffer | null {
  return /^stream-\d(?:\.m3u8|-(?:init\.mp4|\d\d\.m4s))$/.test(name)
    ? readFileSync(resolve('test/fixtures/marks', name))
    : null;
}

/** A round in which every ordered pair of kinds, also of a kind with itself, occurs exactly once. */
export function roundOf<Name extends string>(names: readonly Name[]): Name[] {
  const left = new Map(names.map((name) => [name, [...names]]));
  // Hierholzer: in the complete directed graph with loops every walk can be closed.
  const path: Name[] = [names[0] as Name];
  const circuit: Name[] = [];
  while (path.length > 0) {
    const here = path.at(-1) as Name;
    const next = left.get(here)?.pop();
    if (next === undefined) circuit.unshift(path.pop() as Name);
    else path.push(next);
  }
  return circuit.slice(1);
}

/** The items of a round: each kind's two in turn, so that no item follows on itself. */
export function itemsInRound(round: readonly Kind[]): number[] {
  const turns = new Map<Kind, number>();
  return round.map((kind) => {
    const turn = turns.get(kind) ?? 0;
    turns.set(kind, turn + 1);
    return itemsOf[kind][turn % 2] as number;
  });
}

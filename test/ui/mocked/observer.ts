import type { Display, Rgb } from './display.ts';

/** Colours of the clips in test/fixtures/clips. */
const colours = {
  red: [255, 0, 0],
  green: [0, 128, 0],
  blue: [0, 0, 255],
  cyan: [0, 255, 255],
  yellow: [255, 255, 0],
  orange: [255, 165, 0],
} as const satisfies Record<string, Rgb>;

export type Sight = keyof typeof colours | 'dark' | 'other';

/** Distance per channel that conversions between colour spaces of video may cost. */
const tolerance = 40;

/** What a pixel shows: a clip's colour, (nearly) nothing, or something else such as the middle of a fade. */
export function sightOf([red, green, blue]: Rgb): Sight {
  const near = ([r, g, b]: Rgb) => Math.max(Math.abs(r - red), Math.abs(g - green), Math.abs(b - blue)) < tolerance;
  const named = (Object.keys(colours) as (keyof typeof colours)[]).find((name) => near(colours[name]));
  if (named !== undefined) return named;
  return Math.max(red, green, blue) < 48 ? 'dark' : 'other';
}

/** Whether a pixel shows two clips at once, each by a fifth at least, as the middle of a fade does. */
export function isMixture(pixel: Rgb, one: keyof typeof colours, other: keyof typeof colours): boolean {
  const [from, to] = [colours[one], colours[other]];
  const shares = pixel.map((level, channel) => {
    const [start, end] = [from[channel] as number, to[channel] as number];
    if (start === end) return Math.abs(level - start) < tolerance ? null : Number.NaN;
    return (level - start) / (end - start);
  });
  const told = shares.filter((share) => share !== null);
  return told.every((share) => share >= 0.2 && share <= 0.8) && Math.max(...told) - Math.min(...told) < 0.2;
}

export interface Observer {
  readonly sights: readonly Sight[];
  /** The sights without what is between two of them: a fade, or a display that is half repainted. */
  clear(): Sight[];
  stop(): void;
}

/**
 * Looks at a few points of the display all the time, several times per frame. `sights` is what was seen, in order,
 * without repetitions; a look in which the points differ counts as the darkest thing among them.
 */
export function observe(display: Display, points: readonly (readonly [x: number, y: number])[]): Observer {
  const sights: Sight[] = [];
  const look = () => {
    const seen = points.map(([x, y]) => sightOf(display.pixel(x, y)));
    const sight = seen.includes('dark') ? 'dark' : new Set(seen).size === 1 ? (seen[0] as Sight) : 'other';
    if (sights.at(-1) !== sight) sights.push(sight);
  };
  const timer = setInterval(look, 2);
  return { sights, clear: () => sights.filter((sight) => sight !== 'other'), stop: () => clearInterval(timer) };
}

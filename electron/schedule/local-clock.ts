import type { Reading } from './expression.ts';

export const dayMs = 86_400_000;
const probeMs = 6 * 3_600_000;

/** Latest instant that a Date can hold (ECMA-262 §21.4.1.1); past it there is nothing to schedule. */
export const endOfTimeMs = 8.64e15;

/** A stretch in which the local clock runs on without a jump and stays within one local day. */
export interface Stretch {
  /** Unix milliseconds, included. */
  readonly startMs: number;
  /** Unix milliseconds, excluded. */
  readonly endMs: number;
  /** `$TIME` at `startMs`. */
  readonly startTime: number;
  readonly weekday: number;
}

/** The wall clock of one zone. */
export interface LocalClock {
  reading(atMs: number): Reading;
  /** The rest of the stretch that an instant is in. */
  stretch(fromMs: number): Stretch;
}

/** Work that one search may still do, about 50 ns a unit. Used up: look again rather than on. */
export interface Effort {
  left: number;
}

let lastFormat = { zone: '', format: null as Intl.DateTimeFormat | null };

/** Making one takes milliseconds, and a screen stays in its zone. */
function formatOf(zone: string): Intl.DateTimeFormat {
  if (lastFormat.zone === zone && lastFormat.format !== null) return lastFormat.format;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    calendar: 'gregory',
    numberingSystem: 'latn',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  lastFormat = { zone, format };
  return format;
}

/** What finding a stretch costs: several readings by way of Intl, which are slow. */
const stretchEffort = 500;

/**
 * @param zone IANA name that this runtime knows
 * @param effort charged for what is not yet known
 */
export function localClock(zone: string, effort: Effort): LocalClock {
  const format = formatOf(zone);
  const known = new Map<number, Stretch>();

  /** Local clock reading minus UTC, in milliseconds. */
  const offset = (atMs: number): number => {
    const wholeMs = Math.floor(atMs / 1_000) * 1_000;
    const field: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(wholeMs)) field[type] = value;
    const number = (name: string) => Number(field[name]);
    const year = field['era'] === 'BC' ? 1 - number('year') : number('year');
    const local = new Date(0);
    local.setUTCFullYear(year, number('month') - 1, number('day'));
    local.setUTCHours(number('hour'), number('minute'), number('second'));
    return local.getTime() - wholeMs;
  };

  /** First instant in (fromMs, untilMs] with another offset, or `untilMs`. Zones change on whole seconds. */
  const jumpBefore = (fromMs: number, untilMs: number, offsetMs: number): number => {
    for (let before = fromMs; before < untilMs; ) {
      const probe = Math.min(before + probeMs, untilMs);
      if (offset(probe) !== offsetMs) {
        let [same, other] = [before, probe];
        while (other - same > 1) {
          const middle = Math.floor((same + other) / 2);
          if (offset(middle) === offsetMs) same = middle;
          else other = middle;
        }
        return other;
      }
      before = probe;
    }
    return untilMs;
  };

  const stretch = (fromMs: number): Stretch => {
    const found = known.get(fromMs);
    if (found !== undefined) return found;
    effort.left -= stretchEffort;
    const offsetMs = offset(fromMs);
    const local = fromMs + offsetMs;
    const day = Math.floor(local / dayMs);
    const midnightMs = Math.min((day + 1) * dayMs - offsetMs, endOfTimeMs);
    const made = {
      startMs: fromMs,
      endMs: jumpBefore(fromMs, midnightMs, offsetMs),
      startTime: local - day * dayMs,
      weekday: weekdayOf(day),
    };
    known.set(fromMs, made);
    return made;
  };

  return {
    stretch,
    reading: (atMs) => {
      const local = atMs + offset(atMs);
      const day = Math.floor(local / dayMs);
      return { date: atMs, time: local - day * dayMs, weekday: weekdayOf(day) };
    },
  };
}

/** 1970-01-01, day 0, was a Thursday. */
function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

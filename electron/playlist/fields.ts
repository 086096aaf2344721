import type { Checked } from './address.ts';

/**
 * Fields of a value out of JSON. A document has up to ten thousand items of twenty fields each and is checked before
 * the first picture: the general checker that its head goes through takes several times as long.
 */

/** A field that is not as it must be. Thrown inside `playlist/` only. */
export class Misfit extends Error {
  /** Dotted, from the value whose fields are read. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(reason);
    this.path = path;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object. @throws Misfit */
export function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Misfit(path, 'must be an object');
  return value as Fields;
}

/** `null` or absent: nothing. @throws Misfit */
export function optional<T>(of: Fields, name: string, read: (of: Fields, name: string) => T): T | null {
  const value = of[name];
  return value === undefined || value === null ? null : read(of, name);
}

/** @throws Misfit */
export function textOf(of: Fields, name: string, most: number): string {
  const value = of[name];
  if (typeof value !== 'string') throw new Misfit(name, 'must be a text');
  if (value.length > most) throw new Misfit(name, `longer than ${most} characters`);
  return value;
}

/** @throws Misfit */
export function numberOf(of: Fields, name: string, least = -Number.MAX_VALUE, most = Number.MAX_VALUE): number {
  const value = of[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Misfit(name, 'must be a number');
  if (value < least || value > most) throw new Misfit(name, `must be ${least} … ${most}`);
  return value;
}

/** @throws Misfit */
export function countOf(of: Fields, name: string): number {
  const value = of[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Misfit(name, 'must be a whole number, 0 or more');
  return value as number;
}

/** @throws Misfit */
export function flagOf(of: Fields, name: string): boolean {
  const value = of[name];
  if (typeof value !== 'boolean') throw new Misfit(name, 'must be true or false');
  return value;
}

/** What a check makes of a field. @throws Misfit */
export function checked<T>(name: string, result: Checked<T>): T {
  if (!result.ok) throw new Misfit(name, result.reason);
  return result.value;
}

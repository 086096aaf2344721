/** The six characters that an operator reads off a screen. */
import { randomInt } from 'node:crypto';

/** A–Z and 2–9 without I, O, 0 and 1, which look alike. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * A random PIN that is not in use.
 * @param isTaken tells whether a PIN belongs to a registration that still counts
 */
export function createPin(isTaken: (pin: string) => boolean): string {
  for (;;) {
    const pin = Array.from({ length: 6 }, () => alphabet[randomInt(alphabet.length)]).join('');
    if (!isTaken(pin)) return pin;
  }
}

/** What a person typed, in the form that PINs are kept: upper case, without spaces and hyphens. */
export function normalizePin(typed: string): string {
  return typed.replace(/[\s-]/g, '').toUpperCase();
}

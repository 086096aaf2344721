import { asPlayerError } from '../errors.ts';
import { spreadOut } from '../playlist/loop.ts';
import type { Poke } from './waiting.ts';

/**
 * Ask the server, and where it wants to be left alone hold the waits of whoever asks: also a question on the side, whose
 * failure is nobody else's, is not asked again before.
 * @param random 0 ≤ random < 1
 * @throws what the call throws
 */
export async function heed<T>(waits: Pick<Poke, 'hold'>, random: () => number, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    const { retryAfterMs } = asPlayerError(thrown);
    if (retryAfterMs !== undefined) waits.hold(spreadOut(retryAfterMs, random()));
    throw thrown;
  }
}

import { asPlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { FactBook } from './facts.ts';
import type { Identity } from './identity.ts';

/**
 * A certificate that has ended by our clock: by the server's as well? Then the same key and hardware ask for a new one.
 * The content plays on meanwhile.
 * @param notAfterMs when it ended, Unix milliseconds
 * @returns `wait`: nothing came of it, by now; `operator`: the server wants a person to decide
 */
export async function afterExpiry(
  identity: Identity,
  notAfterMs: number,
  { facts, log }: { readonly facts: FactBook; readonly log: Log },
): Promise<'renewed' | 'clock-wrong' | 'wait' | 'operator'> {
  try {
    const serverMs = await identity.serverTime();
    // Told in whole seconds (RFC 9110 §5.6.7), as the end is: in the second that it names the end has come.
    if (serverMs !== null && serverMs < notAfterMs) {
      log.warn('clock-wrong', { waitMs: Date.now() - serverMs });
      return 'clock-wrong';
    }
    const outcome = await identity.reenrol();
    facts.problem('registration', null);
    return outcome === 'refused' ? 'wait' : outcome;
  } catch (thrown) {
    const error = asPlayerError(thrown);
    if (error.recovery === 'bug') throw error;
    log.failure('re-enrolment-failed', error);
    facts.problem('registration', error);
    return 'wait';
  }
}

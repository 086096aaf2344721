import { asPlayerError, type ErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Effect, Happening, IssuedCertificate, RefusalReason, Registration } from './machine.ts';
import { step } from './machine.ts';
import type { Accepted, PollReply } from './server.ts';

/** What the driver needs from the world. */
export interface RegistrationPorts {
  /** POST the request; the reply holds the new PIN and the ticket. */
  register(): Promise<Accepted>;
  poll(id: string, ticket: string): Promise<PollReply>;
  /** Check and store; a refused certificate is a value, a full disk an exception. */
  storeCertificate(issued: IssuedCertificate): Promise<'stored' | RefusalReason>;
  /** Forget playlist, media and certificate of a removed screen; the key stays. */
  forgetContent(): Promise<void>;
  persist(registration: Registration): Promise<void>;
  publish(registration: Registration): void;
  /** A fault that registration waits behind, `null` when it is over. */
  report(problem: unknown | null): void;
  /** Resolves after `ms`, or rejects when `signal` aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Pause before try number `attempt` (0 …), milliseconds, full jitter. */
  backoff(attempt: number): number;
  now(): number;
  readonly log: Log;
}

/** Drives registration to its end and takes what the server says of the screen later. */
export interface RegistrationDriver {
  readonly current: Registration;
  /** Resolves once the screen is registered; rejects when `signal` aborts or the program is wrong. */
  untilRegistered(signal: AbortSignal): Promise<void>;
  /** Feed a happening from outside: what the server says of the screen, or the loss of its identity. */
  tell(happening: Extract<Happening, { type: 'suspended' | 'restored' | 'removed' | 'identity-lost' }>): Promise<void>;
}

/** @param initial what was on disk */
export function createRegistrationDriver(initial: Registration, ports: RegistrationPorts): RegistrationDriver {
  let current = initial;
  let attempt = 0;

  const take = async (happening: Happening): Promise<readonly Effect[]> => {
    const { next, effects } = step(current, happening, ports.now());
    if (next !== current) {
      // On disk before it is visible: a crash must find what the operator has seen.
      await ports.persist(next);
      if (next.state !== current.state) ports.log.info(`registration-${next.state}`);
      else tellOfSuspension(current, next, ports.log);
      current = next;
      ports.publish(next);
    }
    return effects;
  };

  const perform = async (effect: Effect, signal: AbortSignal): Promise<Happening | null> => {
    switch (effect.type) {
      case 'register':
        return { type: 'accepted', ...(await ports.register()) };
      case 'poll':
        return pollHappening(await ports.poll(effect.id, effect.ticket));
      case 'store-certificate': {
        const verdict = await ports.storeCertificate(effect.issued);
        if (verdict !== 'stored') return { type: 'certificate-refused', reason: verdict };
        const { screenId, screenName } = effect.issued;
        return { type: 'stored', screenId, screenName };
      }
      case 'forget-content':
        await ports.forgetContent();
        return null;
      case 'wait':
        await ports.wait(effect.ms, signal);
        return { type: 'waited' };
      default:
        return effect satisfies never;
    }
  };

  const tryPerform = async (effect: Effect, signal: AbortSignal): Promise<Happening | null> => {
    try {
      const happening = await perform(effect, signal);
      if (effect.type !== 'wait') {
        attempt = 0;
        ports.report(null);
      }
      return happening;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = asPlayerError(thrown);
      if (error.recovery === 'bug') throw error;
      ports.log.failure('registration-failed', error, { attempt });
      ports.report(error);
      return { type: 'failed', retryInMs: ports.backoff(attempt++) };
    }
  };

  return {
    get current() {
      return current;
    },
    async untilRegistered(signal) {
      ports.log.info(`registration-${current.state}`);
      let queue: readonly Effect[] = await take({ type: 'started' });
      while (current.state !== 'registered') {
        signal.throwIfAborted();
        const [effect, ...rest] = queue;
        if (effect === undefined) throw new Error(`registration stands still in state ${current.state}`);
        const happening = await tryPerform(effect, signal);
        queue = happening === null ? rest : [...rest, ...(await take(happening))];
      }
    },
    async tell(happening) {
      // Forgotten before it is written down: a crash in between must not leave the content to the next owner.
      const { effects } = step(current, happening, ports.now());
      if (effects.some(({ type }) => type === 'forget-content')) await ports.forgetContent();
      await take(happening);
    },
  };
}

/** Once, however often the server repeats itself: the step changes nothing then. */
function tellOfSuspension(before: Registration, next: Registration, log: Log): void {
  if (before.state !== 'registered' || next.state !== 'registered') return;
  const [was, is] = [before.suspendedSinceMs !== null, next.suspendedSinceMs !== null];
  if (is && !was) log.warn('screen-suspended', { code: 'SCREEN_SUSPENDED' satisfies ErrorCode });
  if (was && !is) log.info('screen-restored');
}

function pollHappening(reply: PollReply): Happening {
  switch (reply.status) {
    case 'pending':
      return { type: 'still-pending' };
    case 'issued':
      return { type: 'issued', issued: reply.issued };
    case 'denied':
      return { type: 'denied' };
    case 'expired':
      return { type: 'expired' };
    default:
      return reply satisfies never;
  }
}

import { certificateRefused } from '../certificate/renewer.ts';
import type { DeviceCertificate } from '../certificate/store.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import { openJournal } from '../journal.ts';
import { backoffMs } from '../mtls/backoff.ts';
import type { Content } from './content.ts';
import { afterExpiry } from './expired.ts';
import { type Identity, type IdentityParts, openIdentity, putLostKeyAside } from './identity.ts';
import { runSession } from './session.ts';
import { waitFor } from './waiting.ts';

/** How often a certificate that is not valid now is judged again: clocks come right by themselves. */
const judgeAgainMs = 5_000;

/** The TPM counts refused passwords and locks everybody out: not more than one a day is ours. */
const authorisationPauseMs = 24 * 60 * 60_000;

/** A life that lasted so long was no failed try. */
const longLifeMs = 10 * 60_000;

/**
 * The screen's life: key → registration → session, again whenever the server removes the screen, and again, after a
 * pause, when the disk or a person's doing has ended it: the content plays on. Ends by `signal`.
 * @throws PlayerError when the program is wrong
 */
export async function live(parts: IdentityParts & { readonly content: Content }, signal: AbortSignal): Promise<never> {
  const over = new AbortController();
  const caring = parts.content.care(AbortSignal.any([signal, over.signal])).catch((thrown: unknown) => {
    if (!signal.aborted && !over.signal.aborted) parts.log.failure('store-care-ended', thrown);
  });
  let { initial } = parts;
  let attempt = 0;
  try {
    for (;;) {
      const identity = await identityAtLast({ ...parts, initial }, signal);
      const begunMs = performance.now();
      try {
        await beScreen(identity, parts, signal);
        attempt = 0;
      } catch (thrown) {
        const error = unlessFatal(thrown, signal);
        if (performance.now() - begunMs > longLifeMs) attempt = 0;
        parts.log.failure('identity-failed', error, { attempt });
        parts.facts.update({ identityProblem: error });
        await waitFor(backoffMs(attempt++, Math.random()), signal);
      } finally {
        initial = identity.registration.current;
        await identity.key.close();
      }
    }
  } finally {
    over.abort();
    await caring;
  }
}

/** What can be tried again. @throws what ends the player: its own end, or a fault of the program */
function unlessFatal(thrown: unknown, signal: AbortSignal): PlayerError {
  if (signal.aborted) throw thrown;
  const error = isOfTheDisk(thrown)
    ? new PlayerError('STATE_UNWRITABLE', `the state folder: ${thrown.message}`, thrown)
    : asPlayerError(thrown);
  if (error.recovery === 'bug') throw error;
  return error;
}

/** A system call's own error. */
function isOfTheDisk(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'syscall' in thrown;
}

/** Session after session, until the key has changed. */
async function beScreen(
  identity: Identity,
  parts: IdentityParts & { readonly content: Content },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const certificate = await certificateAtLast(identity, parts, signal);
    parts.log.info('session-started', { notAfterMs: certificate.notAfterMs });
    const end = await runSession({ ...parts, identity }, certificate, signal);
    if (end === 'rekeyed') return;
    if (end === 'lapsed') continue;
    await identity.journal.write('removed', { key: identity.key.fingerprint });
    await identity.registration.tell({ type: end });
  }
}

/** Open the identity, for as long as it takes: what was cached plays meanwhile. */
async function identityAtLast(parts: IdentityParts, signal: AbortSignal): Promise<Identity> {
  for (let attempt = 0; ; attempt++) {
    try {
      const identity = await openIdentity(parts);
      if (!signal.aborted) return identity;
      await identity.key.close();
      throw signal.reason;
    } catch (thrown) {
      const error = unlessFatal(thrown, signal);
      parts.log.failure('identity-failed', error, { attempt });
      parts.facts.update({ identityProblem: error });
      const aside = error.code === 'KEY_LOST' && (await putAside(parts));
      const pauseMs = error.code === 'KEY_AUTH_REFUSED' ? authorisationPauseMs : backoffMs(attempt, Math.random());
      if (!aside) await waitFor(pauseMs, signal);
    }
  }
}

/** A disk that cannot be written leaves the lost key where it is: tried again, while the content plays on. */
async function putAside({ settings, log }: IdentityParts): Promise<boolean> {
  try {
    await putLostKeyAside(settings, Date.now());
    await openJournal(settings.state.directory, Date.now, log).write('key-lost');
    return true;
  } catch (thrown) {
    log.failure('lost-key-not-put-aside', thrown);
    return false;
  }
}

/** A certificate that holds: the stored one, else a new one by registration. */
async function certificateAtLast(
  identity: Identity,
  { facts, log }: IdentityParts,
  signal: AbortSignal,
): Promise<DeviceCertificate> {
  const noted = new Set<string>();
  let attempt = 0;
  let askAtMs = 0;
  for (;;) {
    if (identity.registration.current.state !== 'registered') await identity.registration.untilRegistered(signal);
    const stored = await identity.certificates.load();
    if (stored !== undefined && !('ok' in stored)) {
      facts.update({ identityProblem: null });
      facts.problem('registration', null);
      return stored;
    }
    if (stored?.reason === 'dates') {
      facts.update({ identityProblem: certificateRefused(stored) });
      const { notAfterMs = Number.POSITIVE_INFINITY } = stored;
      const ended = Date.now() > notAfterMs;
      const asks = ended && performance.now() >= askAtMs;
      const outcome = asks ? await afterExpiry(identity, notAfterMs, { facts, log }) : 'wait';
      if (asks) askAtMs = performance.now() + backoffMs(attempt++, Math.random());
      const event = !ended || outcome === 'clock-wrong' ? 'clock-wrong' : 'certificate-expired';
      if ((asks || !ended) && !noted.has(event)) {
        noted.add(event);
        if (event === 'certificate-expired') log.warn(event, { code: certificateRefused(stored).code, notAfterMs });
        await identity.journal.write(event, { key: identity.key.fingerprint });
      }
      if (outcome === 'wait' || outcome === 'clock-wrong') await waitFor(judgeAgainMs, signal);
      if (outcome !== 'operator') continue;
    }
    // The registration has the word now, and the screen shows its PIN.
    facts.update({ identityProblem: null });
    const reason = stored?.reason ?? 'missing';
    log.warn('certificate-lost', { reason });
    await identity.journal.write('identity-lost', { key: identity.key.fingerprint, reason });
    await identity.registration.tell({ type: 'identity-lost' });
  }
}

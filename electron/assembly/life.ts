import { certificateRefused } from '../certificate/renewer.ts';
import type { DeviceCertificate } from '../certificate/store.ts';
import { asPlayerError } from '../errors.ts';
import { backoffMs } from '../mtls/backoff.ts';
import type { Content } from './content.ts';
import { type Identity, type IdentityParts, openIdentity, putLostKeyAside } from './identity.ts';
import { runSession } from './session.ts';
import { waitFor } from './waiting.ts';

/** How often a certificate that is not valid now is judged again: clocks come right by themselves. */
const judgeAgainMs = 15_000;

/** The TPM counts refused passwords and locks everybody out: not more than one a day is ours. */
const authorisationPauseMs = 24 * 60 * 60_000;

/** The screen's life: key → registration → session, again whenever the server removes the screen. Ends by `signal`. */
export async function live(parts: IdentityParts & { readonly content: Content }, signal: AbortSignal): Promise<never> {
  const caring = parts.content.care(signal).catch((thrown: unknown) => {
    if (!signal.aborted) parts.log.failure('store-care-ended', thrown);
  });
  const identity = await identityAtLast(parts, signal);
  try {
    for (;;) {
      const certificate = await certificateAtLast(identity, parts, signal);
      parts.log.info('session-started', { notAfterMs: certificate.notAfterMs });
      const end = await runSession({ ...parts, identity }, certificate, signal);
      await identity.registration.tell({ type: end });
    }
  } finally {
    await identity.key.close();
    await caring;
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
      if (signal.aborted) throw thrown;
      const error = asPlayerError(thrown);
      if (error.recovery === 'bug') throw error;
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
  for (;;) {
    await identity.registration.untilRegistered(signal);
    const stored = await identity.certificates.load();
    if (stored !== undefined && !('ok' in stored)) {
      facts.update({ identityProblem: null });
      return stored;
    }
    if (stored?.reason === 'dates') {
      facts.update({ identityProblem: certificateRefused(stored) });
      await waitFor(judgeAgainMs, signal);
      continue;
    }
    log.warn('certificate-lost', { reason: stored?.reason ?? 'missing' });
    await identity.registration.tell({ type: 'identity-lost' });
  }
}

import { splitPem } from '../certificate/check.ts';
import { certificateFingerprint } from '../certificate/roots.ts';
import type { CertificateStore } from '../certificate/store.ts';
import type { IdentityDetails, IdentityEvent, Journal } from '../journal.ts';
import type { HardwareVerdict, Registration } from '../registration/machine.ts';

/** A store that writes down what it takes and what it refuses. */
export function journaledStore(store: CertificateStore, journal: Journal, key: string): CertificateStore {
  return {
    load: store.load,
    forget: store.forget,
    save: async (chain) => {
      const saved = await store.save(chain);
      if ('ok' in saved) await journal.write('certificate-refused', { key, reason: saved.reason });
      else await journal.write('certificate-stored', { key, ...certificateDetails(saved) });
      return saved;
    },
  };
}

/** What identifies a certificate. @param chainPem leaf first */
export function certificateDetails(saved: { readonly chainPem: string; readonly notAfterMs: number }) {
  const [leaf = ''] = splitPem(saved.chainPem);
  return { certificate: certificateFingerprint(leaf), notAfter: new Date(saved.notAfterMs).toISOString() };
}

/** What a step of the registration means for the identity; `null` where nothing. */
export function registrationEvent(
  before: Registration,
  next: Registration,
): { readonly event: IdentityEvent; readonly details: IdentityDetails } | null {
  switch (next.state) {
    case 'pending':
      return before.state === 'pending'
        ? null
        : { event: 'registration-opened', details: hardwareDetails(next.hardware) };
    case 'refused':
      return before.state === 'refused' ? null : { event: 'registration-refused', details: { reason: next.reason } };
    case 'registered': {
      if (before.state !== 'registered') return { event: 'registered', details: hardwareDetails(next.hardware) };
      const [was, is] = [before.suspendedSinceMs !== null, next.suspendedSinceMs !== null];
      return was === is ? null : { event: is ? 'suspended' : 'restored', details: {} };
    }
    case 'unregistered':
      return null;
    default:
      return next satisfies never;
  }
}

function hardwareDetails(hardware: HardwareVerdict | null): IdentityDetails {
  if (hardware === null) return {};
  if (!hardware.verified) return { hardware: `unverified: ${hardware.code}` };
  return { hardware: `verified: ${hardware.manufacturer}, ${hardware.model}` };
}

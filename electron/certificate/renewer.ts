import { asPlayerError, type ErrorCode, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Verdict } from './check.ts';
import { renewalAtMs } from './renewal.ts';
import type { CertificateStore, DeviceCertificate } from './store.ts';

export interface RenewerPorts {
  /** Ask for a new certificate over mutual TLS with the present one; leaf first. */
  request(): Promise<readonly string[]>;
  readonly store: CertificateStore;
  /** The new certificate is on disk: use it for new connections. */
  renewed(certificate: DeviceCertificate): void;
  /** Resolves after `ms`, at once when the server says "renew now"; tells which. */
  wait(ms: number, signal: AbortSignal): Promise<'elapsed' | 'poked'>;
  backoff(attempt: number): number;
  random(): number;
  now(): number;
  report(problem: unknown | null): void;
  readonly log: Log;
}

/** Each renewal costs a signature of the TPM and a write to the disk: a server that asks too often is not heard. */
const shortestPokeMs = 60_000;

const refusalCodes: Readonly<Record<Extract<Verdict, { ok: false }>['reason'], ErrorCode>> = {
  invalid: 'CERTIFICATE_INVALID',
  'key-mismatch': 'CERTIFICATE_KEY_MISMATCH',
  untrusted: 'CERTIFICATE_UNTRUSTED',
  usage: 'CERTIFICATE_USAGE',
  dates: 'CERTIFICATE_DATES',
};

/** The error that says why a device certificate is refused. */
export function certificateRefused({ reason }: Extract<Verdict, { ok: false }>): PlayerError {
  return new PlayerError(refusalCodes[reason], `the device certificate is refused: ${reason}`);
}

/**
 * Renew the certificate at 2/3 of its life, and at once when poked; a failure is
 * tried again with back-off while the present certificate goes on working.
 * @throws when `signal` aborts
 */
export async function runRenewal(present: DeviceCertificate, ports: RenewerPorts, signal: AbortSignal): Promise<never> {
  let dueMs = renewalAtMs(present, ports.random());
  let attempt = 0;
  let triedMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    // The wait is cut into hours, so that a clock that jumps is noticed.
    const pauseMs = Math.min(Math.max(dueMs - ports.now(), 0), 3_600_000);
    const how = pauseMs > 0 ? await ports.wait(pauseMs, signal) : 'elapsed';
    if (how === 'elapsed' && ports.now() < dueMs) continue;
    if (how === 'poked' && Math.abs(ports.now() - triedMs) < shortestPokeMs) continue;
    triedMs = ports.now();
    try {
      const saved = await ports.store.save(await ports.request());
      if ('ok' in saved) throw certificateRefused(saved);
      ports.log.info('certificate-renewed', { notAfterMs: saved.notAfterMs });
      ports.report(null);
      ports.renewed(saved);
      dueMs = renewalAtMs(saved, ports.random());
      // A server that hands out certificates which are already old must not make this loop spin.
      if (dueMs <= ports.now()) dueMs = ports.now() + ports.backoff(attempt++);
      else attempt = 0;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = asPlayerError(thrown);
      ports.log.failure('renewal-failed', error, { attempt });
      ports.report(error);
      dueMs = ports.now() + ports.backoff(attempt++);
    }
  }
}

import { asPlayerError, type ErrorCode, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Verdict } from './check.ts';
import { renewalAtMs } from './renewal.ts';
import type { CertificateStore, DeviceCertificate } from './store.ts';

export interface RenewerPorts {
  /** Ask for a new certificate over mutual TLS with the present one; leaf first. */
  request(): Promise<readonly string[]>;
  readonly store: CertificateStore;
  /** Nothing else changes key or certificate meanwhile. @throws when there is nothing to renew any more */
  alone<T>(work: () => Promise<T>): Promise<T>;
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

/** A server that is down must not be asked in a loop, however little is left. */
const shortestRetryMs = 1_000;

const refusalCodes: Readonly<Record<Extract<Verdict, { ok: false }>['reason'], ErrorCode>> = {
  invalid: 'CERTIFICATE_INVALID',
  'key-mismatch': 'CERTIFICATE_KEY_MISMATCH',
  untrusted: 'CERTIFICATE_UNTRUSTED',
  usage: 'CERTIFICATE_USAGE',
  dates: 'CERTIFICATE_DATES',
  unusable: 'CERTIFICATE_UNUSABLE',
};

/** The error that says why a device certificate is refused. */
export function certificateRefused({ reason }: Extract<Verdict, { ok: false }>): PlayerError {
  return new PlayerError(refusalCodes[reason], `the device certificate is refused: ${reason}`);
}

/**
 * Renew the certificate at 2/3 of its life, and at once when poked; a failure is
 * tried again with back-off while the present certificate goes on working, the faster the less is left of it.
 * @returns when the present certificate has ended
 * @throws when `signal` aborts
 */
export async function runRenewal(
  certificate: DeviceCertificate,
  ports: RenewerPorts,
  signal: AbortSignal,
): Promise<'lapsed'> {
  let present = certificate;
  let dueMs = renewalAtMs(present, ports.random());
  let attempt = 0;
  let triedMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    const leftMs = present.notAfterMs - ports.now();
    if (leftMs < 0) return 'lapsed';
    // The wait is cut into hours, so that a clock that jumps is noticed.
    const pauseMs = Math.min(Math.max(dueMs - ports.now(), 0), leftMs + 1, 3_600_000);
    const how = pauseMs > 0 ? await ports.wait(pauseMs, signal) : 'elapsed';
    if (ports.now() > present.notAfterMs || (how === 'elapsed' && ports.now() < dueMs)) continue;
    if (how === 'poked' && Math.abs(ports.now() - triedMs) < shortestPokeMs) continue;
    triedMs = ports.now();
    try {
      const saved = await ports.alone(async () => ports.store.save(await ports.request()));
      if ('ok' in saved) throw certificateRefused(saved);
      ports.log.info('certificate-renewed', { notAfterMs: saved.notAfterMs });
      ports.report(null);
      ports.renewed(saved);
      present = saved;
      dueMs = renewalAtMs(saved, ports.random());
      // A server that hands out certificates which are already old must not make this loop spin.
      if (dueMs <= ports.now()) dueMs = ports.now() + ports.backoff(attempt++);
      else attempt = 0;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = asPlayerError(thrown);
      ports.log.failure('renewal-failed', error, { attempt });
      ports.report(error);
      dueMs = ports.now() + retryPauseMs(ports.backoff(attempt++), present.notAfterMs - ports.now());
    }
  }
}

/** However short a life: several tries are left of it. */
function retryPauseMs(backoffMs: number, leftMs: number): number {
  return Math.min(backoffMs, Math.max(shortestRetryMs, Math.floor(leftMs / 8)));
}

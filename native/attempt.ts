import type { ConnectOptions } from './api.ts';
import { TssError } from './error.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/** One attempt to connect, from the name to the end of the handshake. */
export interface Attempt {
  /** Aborts at the deadline (CONNECTION_TIMEOUT) or when the caller's own signal does (its reason). */
  readonly signal: AbortSignal;
  /** Who is waited for, for the message of the deadline. */
  waitsFor: 'proxy' | 'server';
  /** The deadline is no longer of interest. */
  end(): void;
}

export function beginAttempt(options: Pick<ConnectOptions, 'signal' | 'timeoutMs'>): Attempt {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => {
    const message = `the ${attempt.waitsFor} did not answer: no connection within ${timeoutMs} ms`;
    controller.abort(new TssError('CONNECTION_TIMEOUT', message));
  }, timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  const attempt: Attempt = {
    signal: controller.signal,
    waitsFor: 'server',
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
  return attempt;
}

/** Devices that asked to register and were refused for their hardware: what the operator is shown of them. */
import type { AcceptedRequest } from './certificate-request.ts';

/** A device asks again by itself; who has been silent for so long is gone. */
const rememberMs = 3_600_000;
const mostRemembered = 20;

export interface TurnedAwayDocument {
  readonly hostname: string;
  readonly hardware: string;
  readonly fingerprint: string;
  readonly code: string;
  readonly at: string;
}

/** In memory: after a restart of the server the device comes again, and is refused again. */
export class TurnedAway {
  readonly #now: () => number;
  /** By key, the latest last. */
  readonly #devices = new Map<string, TurnedAwayDocument>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param code why */
  note({ hostname, fingerprint }: Pick<AcceptedRequest, 'hostname' | 'fingerprint'>, hardware: string, code: string) {
    this.#devices.delete(fingerprint);
    const [oldest] = this.#devices.keys();
    if (oldest !== undefined && this.#devices.size >= mostRemembered) this.#devices.delete(oldest);
    const at = new Date(this.#now()).toISOString();
    this.#devices.set(fingerprint, { hostname, hardware, fingerprint, code, at });
  }

  /** The key of this fingerprint was let in. */
  forget(fingerprint: string): void {
    this.#devices.delete(fingerprint);
  }

  /** The latest first. */
  list(): readonly TurnedAwayDocument[] {
    for (const [key, { at }] of this.#devices)
      if (Date.parse(at) + rememberMs <= this.#now()) this.#devices.delete(key);
    return [...this.#devices.values()].reverse();
  }
}

/** How often one address may do something: a fixed window of one minute per address. */
import { Refusal } from './refusal.ts';

const windowMs = 60_000;
/** Addresses remembered at once; beyond that everybody waits for the window to end. */
const maximumAddresses = 10_000;

export class RateLimit {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, number>();
  #windowStartMs = 0;

  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Count one use. @throws Refusal 429 when the address has none left in this minute */
  take(address: string): void {
    this.check(address);
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  /** @throws Refusal 429 when the address has none left in this minute */
  check(address: string): void {
    const elapsedMs = this.#now() - this.#windowStartMs;
    if (elapsedMs < 0 || elapsedMs >= windowMs) {
      this.#counts.clear();
      this.#windowStartMs = this.#now();
    }
    const isFull = this.#counts.size >= maximumAddresses && !this.#counts.has(address);
    if (isFull || (this.#counts.get(address) ?? 0) >= this.#perMinute) {
      const waitSeconds = Math.ceil((windowMs - (this.#now() - this.#windowStartMs)) / 1000);
      throw new Refusal(429, 'rate-limited', 'Too many requests; wait a minute.', waitSeconds);
    }
  }
}

import type { AlarmPorts } from '../../electron/schedule/alarm.ts';

/** A wall clock, a monotonic clock and timers that move by hand. */
export class ScheduleClock implements AlarmPorts {
  /** Every delay that was asked for. */
  readonly delays: number[] = [];
  #wallMs: number;
  #monotonicMs = 7;
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();
  #next = 0;

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  get pending(): number {
    return this.#timers.size;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    this.delays.push(delayMs);
    const id = this.#next++;
    this.#timers.set(id, { atMs: this.#monotonicMs + delayMs, callback });
    return () => this.#timers.delete(id);
  }

  /** Set the wall clock by hand, as a person or NTP does. */
  setWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Let time pass and timers fire in order. */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs;
    for (;;) {
      const [first] = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs);
      if (first === undefined || first[1].atMs > untilMs) break;
      const [id, timer] = first;
      this.#timers.delete(id);
      this.#pass(timer.atMs - this.#monotonicMs);
      timer.callback();
    }
    this.#pass(untilMs - this.#monotonicMs);
  }

  #pass(byMs: number): void {
    this.#wallMs += byMs;
    this.#monotonicMs += byMs;
  }
}

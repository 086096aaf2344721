/** Faults that tests order in advance, to see how a player takes them. */

export interface Fault {
  /** Only requests whose path begins with this; every request where absent. */
  readonly path?: string;
  readonly method?: string;
  /** How many requests it strikes; 1 where absent. */
  readonly times?: number;
  /** Answer with this status instead of the real reply. */
  readonly status?: number;
  /** `Retry-After` of that reply, as sent. */
  readonly retryAfter?: string;
  /** Close the connection without a reply. */
  readonly close?: boolean;
  /** Let the real handler run and cut its body off after so many bytes (media only). */
  readonly cutAfterBytes?: number;
  /** Take the real effect and lose the reply: the connection closes before the first byte of it. */
  readonly loseReply?: boolean;
}

export class FaultPlan {
  #planned: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#planned.push({ fault, left: fault.times ?? 1 });
  }

  /** The fault that strikes a request, taken off the plan. */
  strike(method: string, path: string): Fault | undefined {
    const hit = this.#planned.find(
      ({ fault }) => path.startsWith(fault.path ?? '') && (fault.method ?? method) === method,
    );
    if (hit === undefined) return undefined;
    hit.left -= 1;
    this.#planned = this.#planned.filter(({ left }) => left > 0);
    return hit.fault;
  }

  clear(): void {
    this.#planned = [];
  }
}

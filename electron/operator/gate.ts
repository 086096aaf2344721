/** How often the operator's PIN may be tried: pure. */

export interface Gate {
  /** Refusals in a row. */
  readonly failures: number;
  /** No PIN is looked at before this monotonic time. */
  readonly shutUntilMs: number;
}

export const openGate: Gate = { failures: 0, shutUntilMs: 0 };

/** Refusals without a wait. */
const free = 3;
const firstWaitMs = 5_000;
const longestWaitMs = 15 * 60_000;

/** Whether a PIN may be looked at now. */
export function mayTry(gate: Gate, nowMs: number): boolean {
  return nowMs >= gate.shutUntilMs;
}

/** After a refused PIN: from the third on, 5 s doubling to 15 min. An attempt on a shut gate is no refusal. */
export function refused(gate: Gate, nowMs: number): Gate {
  const failures = gate.failures + 1;
  if (failures < free) return { failures, shutUntilMs: 0 };
  return { failures, shutUntilMs: nowMs + Math.min(firstWaitMs * 2 ** Math.min(failures - free, 20), longestWaitMs) };
}

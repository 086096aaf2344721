import { readFileSync } from 'node:fs';

/** Milliseconds that a thread has waited for a processor: the second number of its schedstat (kernel, sched-stats). */
export function runDelayMs(schedstat: string): number {
  return Number(/^\d+ (\d+) \d+/.exec(schedstat)?.[1] ?? 0) / 1e6;
}

/** The same of a process's main thread in its life; 0 where it has ended. */
export function runDelayOf(pid: number): number {
  try {
    return runDelayMs(readFileSync(`/proc/${pid}/schedstat`, 'utf8'));
  } catch {
    return 0;
  }
}

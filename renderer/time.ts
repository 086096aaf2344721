import { useEffect, useState } from 'react';
import { after } from './timer.ts';

/** Milliseconds left until the wall clock shows the next whole step, so that a display changes on the second. */
export function untilNext(stepMs: number, nowMs: number): number {
  return stepMs - (nowMs % stepMs);
}

/** The wall clock in Unix milliseconds, renewed at every whole step of it. */
export function useNow(stepMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => after(untilNext(stepMs, nowMs), () => setNowMs(Date.now())), [stepMs, nowMs]);
  return nowMs;
}

/** Time left as `m:ss`, rounded up so that it reaches 0:00 exactly at the end; `null` when none is left. */
export function timeLeft(untilMs: number, nowMs: number): string | null {
  const seconds = Math.ceil((untilMs - nowMs) / 1000);
  if (seconds <= 0) return null;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

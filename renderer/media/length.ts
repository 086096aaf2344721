/** The time of a medium that plays once to its end: its own length. */
import { lateMs } from '../playback.ts';
import { after } from '../timer.ts';
import type { MediumEvents } from './medium.ts';

/** What a medium may lack at the end of its time for having merely begun late, in seconds. */
const lackSeconds = 1;

/** How often a medium is looked at, in milliseconds. */
export const glanceEveryMs = 250;

/** How long ago, in milliseconds, a medium that was begun at `startMs` was to have come to its end. */
export function beyondMs(medium: HTMLMediaElement, startMs: number): number {
  return Math.max(0, performance.now() - startMs - medium.duration * 1000);
}

/**
 * Ends a medium that has not come to its end by itself `lateMs` beyond its length: as played when it merely began late
 * and still goes on, as stalled otherwise. The returned function cancels.
 */
export function endInTime(
  medium: HTMLMediaElement,
  startMs: number,
  end: (tell: () => void) => void,
  events: MediumEvents,
) {
  const lengthMs = medium.duration * 1000;
  let cancel = after(lengthMs + lateMs - glanceEveryMs, () => {
    const seconds = medium.currentTime;
    cancel = after(startMs + lengthMs + lateMs - performance.now(), () => {
      const isGoingOn = medium.currentTime > seconds && medium.duration - medium.currentTime < lackSeconds;
      end(isGoingOn ? () => events.elapsed(beyondMs(medium, startMs)) : events.stalled);
    });
  });
  return () => cancel();
}

import type { Transition } from '../../electron/ipc/contract.ts';
import { leavingMs, overdueMs } from '../playback.ts';
import { painted } from '../timer.ts';

/** How long a fade or a slide takes; long enough to be calm, short against the shortest usual item. */
const usualMs = 700;

/**
 * Less than one step of 255: not to be seen, but painted. At opacity 0 Chromium hands no video frame to the display
 * compositor, and the first frames after a reveal are empty.
 */
const barely = 0.001;

/**
 * How long an item's transition takes: at most a third of the item's own time, and no longer than the item before, which
 * is to be seen through it, may stay.
 *
 * @param timeMs the item's own time; `null`: open
 * @param beyondMs how long the item before has stayed beyond its time
 */
export function transitionMs(timeMs: number | null, beyondMs: number): number {
  const untilGoneMs = Math.max(0, overdueMs + leavingMs - beyondMs);
  return Math.min(usualMs, untilGoneMs, timeMs === null ? usualMs : timeMs / 3);
}

async function fade(surface: HTMLElement, from: number, to: number, ms: number): Promise<void> {
  const animation = surface.animate([{ opacity: from }, { opacity: to }], { duration: ms, easing: 'ease-in-out' });
  surface.style.opacity = String(to);
  await animation.finished;
}

/** The new one comes from the right and pushes the old one out, edge to edge. */
async function slide(surface: HTMLElement, behind: HTMLElement, ms: number): Promise<void> {
  const timing = { duration: ms, easing: 'cubic-bezier(0.4, 0, 0.2, 1)' };
  const coming = surface.animate([{ transform: 'translateX(100%)' }, { transform: 'none' }], timing);
  behind.animate([{ transform: 'none' }, { transform: 'translateX(-100%)' }], timing);
  surface.style.opacity = '1';
  await coming.finished;
}

/** Lays a prepared surface over the other one, not to be seen yet, and has it painted there. */
export async function layOver(surface: HTMLElement, behind: HTMLElement): Promise<void> {
  behind.style.zIndex = '1';
  surface.style.zIndex = '2';
  surface.style.opacity = String(barely);
  await painted();
}

/** Makes a laid-over surface visible; what lies beneath stays, so there is no instant at which neither is there. */
export async function uncover(
  surface: HTMLElement,
  behind: HTMLElement,
  transition: Transition,
  ms: number,
): Promise<void> {
  if (transition === 'fade') await fade(surface, barely, 1, ms);
  else if (transition === 'slide') await slide(surface, behind, ms);
  else surface.style.opacity = '1';
  await painted();
}

/** Lets what lies beneath the surfaces shine through, first giving it time to be painted. */
export async function fadeAway(surface: HTMLElement): Promise<void> {
  await painted();
  await fade(surface, 1, 0, leavingMs);
}

/** Makes a surface invisible at once, also amid a fade; for use when it is covered or empty. */
export function hide(surface: HTMLElement): void {
  for (const animation of surface.getAnimations()) animation.finish();
  surface.style.opacity = '0';
}

import type { Transition } from '../../electron/ipc/contract.ts';
import { painted } from '../timer.ts';

/** How long a fade takes; long enough to be calm, short against the shortest usual item. */
const fadeMs = 700;

/**
 * Less than one step of 255: not to be seen, but painted. At opacity 0 Chromium hands no video frame to the display
 * compositor, and the first frames after a reveal are empty.
 */
const barely = 0.001;

async function fade(surface: HTMLElement, from: number, to: number): Promise<void> {
  const animation = surface.animate([{ opacity: from }, { opacity: to }], { duration: fadeMs, easing: 'ease-in-out' });
  surface.style.opacity = String(to);
  await animation.finished;
}

/** Lays a prepared surface over the other one, not to be seen yet, and has it painted there. */
export async function layOver(surface: HTMLElement, behind: HTMLElement): Promise<void> {
  behind.style.zIndex = '1';
  surface.style.zIndex = '2';
  surface.style.opacity = String(barely);
  await painted();
}

/** Makes a laid-over surface visible; what lies beneath stays, so there is no instant at which neither is there. */
export async function uncover(surface: HTMLElement, transition: Transition): Promise<void> {
  if (transition === 'fade') await fade(surface, barely, 1);
  else surface.style.opacity = '1';
  await painted();
}

/** Lets what lies beneath the surfaces shine through, first giving it time to be painted. */
export async function fadeAway(surface: HTMLElement): Promise<void> {
  await painted();
  await fade(surface, 1, 0);
}

/** Makes a surface invisible at once; for use when it is covered or empty. */
export function hide(surface: HTMLElement): void {
  surface.style.opacity = '0';
}

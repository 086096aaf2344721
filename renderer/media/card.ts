import { useMirror } from '../store.ts';

/** What is seen while something is heard. */
export interface Card {
  readonly element: HTMLElement;
  /** Writes how far it is; an unknown length shows none. */
  tell(seconds: number, ofSeconds: number): void;
  /** Call when it is not seen any more. */
  close(): void;
}

function part(name: string, className: string, ...children: readonly (HTMLElement | string)[]): HTMLElement {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

/** `3:07`, and `1:02:00` from an hour on. */
export function clockOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A now-playing card. Its line is the media clock, so it stands still when the sound does. */
export function createCard(title: string): Card {
  const label = part('p', 'card-label');
  const name = () => {
    label.textContent = useMirror.getState().words?.nowPlaying ?? '';
  };
  name();
  // The words of a language may come later than the first item.
  const close = useMirror.subscribe(name);
  const heading = part('h1', 'card-title', title);
  heading.dir = 'auto';
  const gone = part('i', 'card-gone');
  const [now, whole] = [part('bdi', ''), part('bdi', '')];
  const time = part('p', 'card-time', now, whole);
  const body = part('div', 'card-body', label, heading, part('div', 'card-line', gone), time);
  const element = part('div', 'card', part('div', 'card-rings'), body);
  element.dataset['testid'] = 'now-playing';
  return {
    element,
    close,
    tell(seconds, ofSeconds) {
      const isKnown = Number.isFinite(ofSeconds) && ofSeconds > 0;
      now.textContent = clockOf(seconds);
      whole.textContent = isKnown ? clockOf(ofSeconds) : '';
      gone.style.transform = `scaleX(${isKnown ? Math.min(1, seconds / ofSeconds) : 0})`;
    },
  };
}

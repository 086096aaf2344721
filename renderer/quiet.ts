/** What a passer-by with a keyboard, a mouse or a finger could start on a page. */
const gestures = [
  'contextmenu',
  'dragstart',
  'dragover',
  'drop',
  'selectstart',
  'keydown',
  'wheel',
  'touchmove',
] as const;

/** Keeps the page still under every hand; nothing in it is meant to be operated. */
export function ignoreGestures(target: EventTarget): void {
  for (const gesture of gestures) {
    target.addEventListener(gesture, (event) => event.preventDefault(), { capture: true, passive: false });
  }
}

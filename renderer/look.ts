import type { Look } from '../electron/ipc/contract.ts';

/** Languages that are written from right to left. */
const rightToLeft: readonly Look['language'][] = ['ar'];

/**
 * Holds the picture as the display is mounted and dresses the screens: attributes of the document's root, of which the
 * styles know the rest. Everything that is shown lies in `#root`, so all of it turns.
 */
export function applyLook(root: HTMLElement, { language, theme, rotation }: Look): void {
  root.lang = language;
  root.dir = rightToLeft.includes(language) ? 'rtl' : 'ltr';
  root.dataset['theme'] = theme;
  root.dataset['turn'] = String(rotation);
}

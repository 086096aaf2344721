import type { Input } from 'electron';

/** Keys that are pressed together to open the operator's overlay, from text such as `Control+Alt+Shift+O`. */
export interface Chord {
  readonly control: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
  /** Physical key (UI Events `code`), so that the layout of the keyboard does not matter: `KeyO`, `Digit1`, `F9`. */
  readonly code: string;
}

/** @param text as the settings have checked it */
export function parseChord(text: string): Chord {
  const parts = text.split('+');
  const key = parts.at(-1) ?? '';
  const code = /^[A-Z]$/.test(key) ? `Key${key}` : /^\d$/.test(key) ? `Digit${key}` : key;
  const held = (name: string) => parts.slice(0, -1).includes(name);
  return { control: held('Control'), alt: held('Alt'), shift: held('Shift'), meta: held('Meta'), code };
}

/** Whether a key press completes the chord: exactly its modifiers, and not as a repetition of a held key. */
export function completes(
  chord: Chord,
  input: Pick<Input, 'type' | 'code' | 'control' | 'alt' | 'shift' | 'meta' | 'isAutoRepeat'>,
): boolean {
  if (input.type !== 'keyDown' || input.isAutoRepeat || input.code !== chord.code) return false;
  const { control, alt, shift, meta } = chord;
  return input.control === control && input.alt === alt && input.shift === shift && input.meta === meta;
}

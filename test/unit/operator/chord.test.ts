import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completes, parseChord } from '../../../electron/operator/chord.ts';

const pressed = {
  type: 'keyDown',
  code: 'KeyO',
  control: true,
  alt: true,
  shift: true,
  meta: false,
  isAutoRepeat: false,
} as const;
const chord = parseChord('Control+Alt+Shift+O');

for (const [what, change] of Object.entries({
  'a modifier less': { shift: false },
  'a modifier more': { meta: true },
  'another key': { code: 'KeyP' },
  'the key coming up': { type: 'keyUp' as const },
  'a key that is held': { isAutoRepeat: true },
}))
  test(`refuses ${what}`, () => assert.equal(completes(chord, { ...pressed, ...change }), false));

test('takes the chord, whatever the layout calls the key', () => assert.equal(completes(chord, pressed), true));

test('digits and function keys are known by their place too', () => {
  assert.equal(parseChord('Control+Shift+7').code, 'Digit7');
  assert.equal(parseChord('Control+Shift+F12').code, 'F12');
});

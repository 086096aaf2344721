import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

/** Every size that a text gets anywhere in these sheets. */
const sizesIn = (css: string) =>
  [...css.matchAll(/(?<![-\w])font(?:-size)?\s*:\s*([^;}]+)/g)].map(([, value = '']) => value.trim());

/** The steps of the scale, by name. */
const scaleOf = (css: string) => [...css.matchAll(/(--text-[a-z]+)\s*:/g)].map(([, name = '']) => `var(${name})`);

async function sources(folder: string, ending: RegExp): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => ending.test(name));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

test('every text of the page has a size of the one scale', async () => {
  const scale = scaleOf(await readFile('renderer/styles/base.css', 'utf8'));
  const sizes = sizesIn(await sources('renderer/styles', /\.css$/));
  assert.deepEqual(
    sizes.filter((size) => !scale.includes(size)),
    [],
    'no size is beside the scale',
  );
  assert.deepEqual(
    scale.filter((step) => !sizes.includes(step)),
    [],
    'no step is without use',
  );
  assert.deepEqual(sizesIn(await sources('renderer', /\.tsx?$/)), [], 'none is set by a script');
  assert.ok(!/fontSize|--text-[a-z]+['"`]?\s*[,:]/.test(await sources('renderer', /\.tsx?$/)));
});

test('the look for sizes finds those that are not of the scale', () => {
  assert.deepEqual(sizesIn('p { font-size: 12px } b { font: 600 1em/1 x; } i { font-weight: 500; --font-size: 1px }'), [
    '12px',
    '600 1em/1 x',
  ]);
  assert.deepEqual(scaleOf(':root { --text-small: 1px; --text: red; }'), ['var(--text-small)']);
});

import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { lookShots, shotFolder, shotSizes, shots } from '../../support/screenshot-list.ts';

/** Every picture that is kept, but for the one of content. */
const pictures = [
  ...shots.flatMap((name) => shotSizes.map((size) => `${name}-${size.name}.png`)),
  ...lookShots.map(({ name, suffix }) => `${name}-${suffix}.png`),
];

/** The names that the screens of the page give themselves. */
async function screenNames(): Promise<readonly string[]> {
  const folder = 'renderer/screens';
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) =>
    [...text.matchAll(/<Screen\s+name=("[^"]+"|\{[^}]+\})/g)]
      .flatMap(([, name = '']) => [...name.matchAll(/["']([a-z-]+)["']/g)].map(([, found = '']) => found))
      // The state that is asked for, not a name.
      .filter((name) => name !== 'asking'),
  );
}

test('every screen of the page is photographed, and nothing else', async () => {
  // Content that is dressed like a screen (`renderer/media/card.ts`).
  const names = [...(await screenNames()), 'now-playing'];
  assert.deepEqual([...new Set(names)].sort(), [...shots].sort());
});

test('a picture of every screen at every size and in every look is kept, all of them within 3.5 MB', async () => {
  const files = await readdir(shotFolder);
  for (const name of pictures) assert.ok(files.includes(name), name);
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(shotFolder, name))).size));
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 3_500_000);
});

test('the README shows every picture that is kept', async () => {
  const readme = await readFile('README.md', 'utf8');
  for (const name of pictures) assert.ok(readme.includes(`${shotFolder}/${name}`), name);
});

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import test from 'node:test';
import { recoveries } from '../../../electron/errors.ts';
import { languages } from '../../support/languages.ts';

/** `registering.steps.1` → text, for every text but the faults. */
function flat(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[path.slice(1), value]];
  return Object.entries(value as object).flatMap(([key, part]) =>
    path === '' && key === 'troubles' ? [] : flat(part, `${path}.${key}`),
  );
}

const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
const english = new Map(flat(languages.en));

test('there are ten languages, each a file', async () => {
  const files = (await readdir('renderer/languages')).filter((name) => name !== 'words.ts');
  assert.deepEqual(
    files.sort(),
    Object.keys(languages)
      .map((language) => `${language}.ts`)
      .sort(),
  );
  assert.ok(files.length >= 10);
});

for (const [language, words] of Object.entries(languages)) {
  test(`${language} has every text, none of them empty, with the same places for values`, () => {
    const texts = new Map(flat(words));
    assert.deepEqual([...texts.keys()].sort(), [...english.keys()].sort());
    for (const [path, text] of texts) {
      assert.ok(text.trim().length > 0, path);
      assert.equal(text, text.trim(), path);
      assert.deepEqual(places(text), places(english.get(path) ?? ''), path);
    }
  });

  test(`${language} writes dates and numbers with Latin digits`, () => {
    const { locale } = words;
    assert.match(
      new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(0),
      /^\d\d:\d\d$/,
    );
    assert.match(new Intl.NumberFormat(locale).format(1234567), /^[\d.,\s]+$/);
  });

  test(`the faults in ${language} are those of the player, with no place left open`, () => {
    for (const [code, said] of Object.entries(words.troubles)) {
      assert.ok(code in recoveries, code);
      assert.equal(said.length, 2);
      for (const text of said) assert.deepEqual(places(text), [], `${code}: ${text}`);
    }
  });
}

test('every language says everything in its own words', () => {
  for (const [language, words] of Object.entries(languages)) {
    if (language === 'en') continue;
    const same = flat(words).filter(([path, text]) => text === english.get(path) && text.length > 12);
    assert.deepEqual(same, [], language);
  }
});

/** The words of the screens' language, loaded when they are first needed; English is always there. */
import type { Language, Trouble } from '../electron/ipc/contract.ts';
import { words as english } from './languages/en.ts';
import type { Words } from './languages/words.ts';

const others: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ readonly words: Words }>>> = {
  de: () => import('./languages/de.ts'),
  fr: () => import('./languages/fr.ts'),
  es: () => import('./languages/es.ts'),
  it: () => import('./languages/it.ts'),
  pt: () => import('./languages/pt.ts'),
  nl: () => import('./languages/nl.ts'),
  pl: () => import('./languages/pl.ts'),
  ja: () => import('./languages/ja.ts'),
  ar: () => import('./languages/ar.ts'),
};

/** Languages whose script the common typeface lacks: a style sheet each, built from `styles/script-….css`. */
const scripts: readonly Language[] = ['ja', 'ar'];

/** The words of a language, and its typeface on its way. */
export async function loadWords(language: Language): Promise<Words> {
  if (language === 'en') return english;
  const { words } = await others[language]();
  if (scripts.includes(language)) await loadScript(language);
  return words;
}

/** Resolves also when the typeface cannot be had: the system's own then stands in. */
function loadScript(language: Language): Promise<void> {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = `./script-${language}.css`;
  return new Promise((resolve) => {
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => resolve());
    document.head.append(link);
  });
}

/** A fault in words: those of the language, else the English ones that main sent along. */
export function troubleWords(words: Words, { code, summary, remedy }: Trouble): readonly [string, string] {
  return (Object.hasOwn(words.troubles, code) ? words.troubles[code] : undefined) ?? [summary, remedy];
}

import type { Language } from '../../electron/ipc/contract.ts';
import { words as ar } from '../../renderer/languages/ar.ts';
import { words as de } from '../../renderer/languages/de.ts';
import { words as en } from '../../renderer/languages/en.ts';
import { words as es } from '../../renderer/languages/es.ts';
import { words as fr } from '../../renderer/languages/fr.ts';
import { words as it } from '../../renderer/languages/it.ts';
import { words as ja } from '../../renderer/languages/ja.ts';
import { words as nl } from '../../renderer/languages/nl.ts';
import { words as pl } from '../../renderer/languages/pl.ts';
import { words as pt } from '../../renderer/languages/pt.ts';
import type { Words } from '../../renderer/languages/words.ts';

/** The words of all languages. */
export const languages: Readonly<Record<Language, Words>> = { en, de, fr, es, it, pt, nl, pl, ja, ar };

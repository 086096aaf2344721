import { resolve } from 'node:path';

/**
 * What was typed after the program. In a checkout Electron's own words and the application's path come first; an
 * installed player has none of these.
 * @param argv `process.argv`
 * @param application paths that stand for the application; empty where it is installed
 */
export function commandWords(argv: readonly string[], application: readonly string[]): readonly string[] {
  const words = argv.slice(1);
  if (application.length === 0) return words;
  const at = words.findIndex((word) => !word.startsWith('-') && application.includes(resolve(word)));
  return at < 0 ? words : words.slice(at + 1);
}

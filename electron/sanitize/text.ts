/** Longest text that reaches the page, in grapheme clusters as a reader counts them. */
export const longestText = 200;

const mostMarks = 4;
const towers = new RegExp(`(\\p{M}{${mostMarks}})\\p{M}+`, 'gu');
const graphemesOf = new Intl.Segmenter('und');

// Format characters turn the reading direction or hide what is there. ZWNJ and ZWJ join letters and emoji;
// the Arabic, Syriac and Kaithi signs are visible.
const hidden =
  /(?!\u200c|\u200d|[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}]/gu;

/**
 * What is left of a text from the network before anybody reads it: no control,
 * bidirectional, private or unassigned characters, no line breaks, no towers of
 * combining marks, and a bounded length.
 */
export function boundedText(text: string, most = longestText): string {
  // Most titles are this plain, and a playlist has up to ten thousand of them.
  if (text.length <= most && /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(text)) return text;
  const clean = text
    .slice(0, most * 32)
    .normalize('NFC')
    .replace(/[\s\u2028\u2029\u0085]+/gu, ' ')
    .replace(hidden, '')
    .replace(towers, '$1')
    .replace(/ +/g, ' ')
    .trim();
  const graphemes = [...graphemesOf.segment(clean)];
  if (graphemes.length <= most) return clean;
  return `${clean.slice(0, graphemes[most - 1]?.index).trimEnd()}…`;
}

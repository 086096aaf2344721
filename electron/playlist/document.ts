import { PlayerError } from '../errors.ts';

/** Longest document, in bytes on the wire and (never more) in characters here. */
export const largestDocument = 16 * 2 ** 20;

const deepestNesting = 32;
const mostPlaylists = 1_000;
const mostItems = 10_000;

/**
 * JSON text as a value, after the checks that must come before anything walks
 * it: length, nesting, and the numbers of playlists and items.
 * @throws PlayerError PLAYLIST_INVALID
 */
export function readDocument(text: string): unknown {
  if (text.length > largestDocument) throw invalid('(document)', `longer than ${largestDocument} bytes`);
  checkNesting(text);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw invalid('(document)', 'not JSON', cause);
  }
  checkCounts(document);
  return document;
}

/** @param path dotted path of the refused value */
export function invalid(path: string, reason: string, cause?: unknown): PlayerError {
  return new PlayerError('PLAYLIST_INVALID', `${path}: ${reason}: the last good playlist keeps playing`, cause);
}

/** Most of a document is inside of strings: they are leapt over. */
function checkNesting(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > deepestNesting) throw invalid('(document)', `nested deeper than ${deepestNesting}`);
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
}

/** @returns index of the quotation mark that ends the string which begins at `from`; the text's end where none does */
function endOfString(text: string, from: number): number {
  for (let at = from; ; ) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return text.length;
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return at;
  }
}

function checkCounts(document: unknown): void {
  const playlists = member(document, 'playlists');
  if (!Array.isArray(playlists)) return;
  if (playlists.length > mostPlaylists) throw invalid('playlists', `more than ${mostPlaylists}`);
  let total = 0;
  for (const playlist of playlists) {
    const items = member(playlist, 'items');
    if (Array.isArray(items)) total += items.length;
  }
  if (total > mostItems) throw invalid('playlists', `more than ${mostItems} items in all`);
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

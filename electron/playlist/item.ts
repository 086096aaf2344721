import { checkAddress, checkHeaders } from './address.ts';
import { checked, countOf, type Fields, fieldsOf, flagOf, Misfit, numberOf, optional, textOf } from './fields.ts';
import type { Asset, Item, MediaHash, WebAsset } from './playlist.ts';

const shortestSeconds = 0.1;
const longestSeconds = 86_400;
const longestTitle = 4_096;
const longestShortText = 256;
const longestType = 64;
const mostOrigins = 16;

const idPattern = /^[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,63}$/;
const sha256Pattern = /^[0-9a-f]{64}$/i;
const md5Pattern = /^[0-9a-f]{32}$/i;

/** Types of the wire and what they are to the player. */
const kinds: ReadonlyMap<unknown, 'image' | 'video' | 'audio' | 'web' | 'stream'> = new Map([
  ['image', 'image'],
  ['video', 'video'],
  ['audio', 'audio'],
  ['web', 'web'],
  ['appweb', 'web'],
  ['edge-app', 'web'],
  ['streaming', 'stream'],
]);

/** Streams that a server may well name and that this player does not know: no reason to refuse the document. */
const otherStream = /^(?:rtsps?|rtmps?|rtp|udp|srt|mms):/i;

/** Where an item stands in its playlist, and the item. */
export interface PlacedItem {
  readonly position: number;
  readonly item: Item;
}

/**
 * One item of a document, every field of it checked; unknown ones are ignored.
 * @param allowHttpFor origins whose media may come over plain http
 * @throws Misfit
 */
export function readItem(value: unknown, allowHttpFor: readonly string[]): PlacedItem {
  const fields = fieldsOf(value, '');
  const id = idOf(fields);
  const position = numberOf(fields, 'position');
  const durationSeconds = optional(fields, 'duration', secondsOf);
  try {
    return { position, item: { id, durationSeconds, asset: readAsset(fields['asset'], allowHttpFor) } };
  } catch (thrown) {
    if (!(thrown instanceof Misfit)) throw thrown;
    throw new Misfit(thrown.path === '' ? 'asset' : `asset.${thrown.path}`, thrown.message);
  }
}

function readAsset(value: unknown, allowHttpFor: readonly string[]): Asset {
  const fields = fieldsOf(value, '');
  const type = textOf(fields, 'type', longestType);
  const id = idOf(fields);
  const title = textOf(fields, 'title', longestTitle);
  const status = optional(fields, 'status', shortTextOf);
  const kind = kinds.get(type);
  if (kind === 'stream' && otherStream.test(String(fields['asset_url'])))
    return { kind: 'unsupported', id, title, reason: 'type' };
  if (kind === undefined || (status !== null && status !== 'finished'))
    return { kind: 'unsupported', id, title, reason: kind === undefined ? 'type' : 'status' };
  const url = checked('asset_url', checkAddress(textOf(fields, 'asset_url', Number.MAX_SAFE_INTEGER), allowHttpFor));
  const headers = optional(fields, 'headers', headersOf) ?? {};
  const durationSeconds = optional(fields, 'duration', secondsOf);
  const sha256 = optional(fields, 'sha256', sha256Of);
  const md5 = optional(fields, 'md5', md5Of);
  const sizeBytes = optional(fields, 'size', countOf);
  // Not used, and not to be anything else either.
  optional(fields, 'width', countOf);
  optional(fields, 'height', countOf);
  const looks = looksOf(fields, allowHttpFor);
  if (kind === 'stream')
    return { kind, id, title, url, headers, durationSeconds, allowedOrigins: looks.allowedOrigins };
  if (kind === 'web') return { kind, id, title, url, headers, durationSeconds, ...looks };
  return { kind, id, title, url, headers, durationSeconds, sha256, md5, sizeBytes };
}

type Looks = Omit<WebAsset, 'kind' | 'id' | 'title' | 'url' | 'headers' | 'durationSeconds'>;

function looksOf(fields: Fields, allowHttpFor: readonly string[]): Looks {
  return {
    allowedOrigins: optional(fields, 'allowed_origins', () => originsOf(fields, allowHttpFor)) ?? [],
    refreshSeconds: optional(fields, 'refresh_interval', (of, name) => numberOf(of, name, 10, longestSeconds)),
    zoom: optional(fields, 'zoom', (of, name) => numberOf(of, name, 0.25, 5)) ?? 1,
    scrollTop: optional(fields, 'scroll_top', (of, name) => numberOf(of, name, 0, 100_000)) ?? 0,
    scrollSpeed: optional(fields, 'scroll_speed', (of, name) => numberOf(of, name, 0, 1_000)) ?? 0,
    sound: optional(fields, 'sound', flagOf) ?? false,
  };
}

function idOf(fields: Fields): string {
  const { id } = fields;
  if (typeof id === 'string' && idPattern.test(id)) return id;
  throw new Misfit('id', 'must be 1 … 64 characters of A–Z a–z 0–9 _ - . :');
}

function shortTextOf(fields: Fields, name: string): string {
  return textOf(fields, name, longestShortText);
}

/** Clamped, so that "for ever" cannot overflow a timer; JSON's 1e999 reads as infinite and is refused. */
function secondsOf(fields: Fields, name: string): number {
  const seconds = numberOf(fields, name);
  if (seconds <= 0) throw new Misfit(name, 'must be above 0');
  return Math.min(longestSeconds, Math.max(shortestSeconds, seconds));
}

function sha256Of(fields: Fields, name: string): MediaHash {
  const hex = fields[name];
  if (typeof hex === 'string' && sha256Pattern.test(hex)) return hex.toLowerCase() as MediaHash;
  throw new Misfit(name, 'must be 64 hex digits');
}

function md5Of(fields: Fields, name: string): string | null {
  const hex = fields[name];
  if (hex === 'skip_md5') return null;
  if (typeof hex === 'string' && md5Pattern.test(hex)) return hex.toLowerCase();
  throw new Misfit(name, 'must be 32 hex digits or skip_md5');
}

function headersOf(fields: Fields, name: string): Readonly<Record<string, string>> {
  return checked(name, checkHeaders(fieldsOf(fields[name], name)));
}

function originsOf(fields: Fields, allowHttpFor: readonly string[]): string[] {
  const name = 'allowed_origins';
  const list = fields[name];
  if (!Array.isArray(list)) throw new Misfit(name, 'must be a list');
  if (list.length > mostOrigins) throw new Misfit(name, `more than ${mostOrigins}`);
  return list.map((text: unknown, index) => {
    const place = `${name}.${index}`;
    if (typeof text !== 'string') throw new Misfit(place, 'must be a text');
    const href = checked(place, checkAddress(text, allowHttpFor));
    const { origin } = new URL(href);
    if (origin !== href.replace(/\/$/, '')) throw new Misfit(place, 'must be an origin');
    return origin;
  });
}

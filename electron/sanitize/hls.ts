import {
  type Attributes,
  attributesOf,
  hex128,
  moment,
  quoted,
  ratio,
  resolution,
  token,
  whole,
} from './hls-attributes.ts';
import { checkDimensions, Refusal } from './probe.ts';

/** What a line of a playlist leads to. */
export interface StreamReference {
  /** Absolute address; whether it may be asked is judged by whoever asks. */
  readonly url: string;
  /** A further playlist, or bytes: a segment, its beginning or its key. */
  readonly kind: 'playlist' | 'bytes';
  /** First and last byte of the part that is meant (RFC 8216 §4.3.2.2); `null`: all. */
  readonly range: readonly [first: number, last: number] | null;
}

export type Rewritten =
  | { readonly ok: true; readonly text: string }
  /** `reason`: a short word of a–z and hyphen. */
  | { readonly ok: false; readonly reason: 'not-a-stream' | 'encrypted' | 'too-large' | 'address-refused' };

export interface RewritePorts {
  /** Address that the playlist came from: what it names may be relative to it. */
  readonly base: string;
  /** The address under which the page is to ask for it; `null` where it must not be asked at all. */
  place(reference: StreamReference): string | null;
}

const mostCharacters = 4 * 2 ** 20;
const mostReferences = 20_000;
const longestLine = 16_384;
/** As of an asset's own address (playlist/address.ts). */
const longestAddress = 8_192;
/** Of all addresses together: short lines of a playlist become long ones by the address that they are relative to. */
const mostAddressCharacters = 8 * 2 ** 20;

/**
 * An HLS playlist (RFC 8216) written anew from what is understood of it: tags of a list, attributes of a list, numbers
 * as numbers, and no address but those that `place` gives. What is not understood is left out, so nothing of the server
 * but numbers, codec names and languages gets through to the page. Ranges of bytes become references of their own.
 */
export function rewritePlaylist(text: string, ports: RewritePorts): Rewritten {
  try {
    if (text.length > mostCharacters) throw new Refused('too-large');
    const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
    if (lines[0]?.trim() !== '#EXTM3U') throw new Refused('not-a-stream');
    return { ok: true, text: `${write(lines.slice(1), placing(ports)).join('\n')}\n` };
  } catch (thrown) {
    if (thrown instanceof Refused) return { ok: false, reason: thrown.reason };
    if (thrown instanceof Refusal) return { ok: false, reason: 'too-large' };
    throw thrown;
  }
}

class Refused extends Error {
  readonly reason: Exclude<Rewritten, { ok: true }>['reason'];
  constructor(reason: Exclude<Rewritten, { ok: true }>['reason']) {
    super(reason);
    this.reason = reason;
  }
}

type Place = (uri: string, kind: StreamReference['kind'], range?: StreamReference['range']) => string;

function placing({ base, place }: RewritePorts): Place {
  let count = 0;
  let characters = 0;
  return (uri, kind, range = null) => {
    count += 1;
    if (count > mostReferences) throw new Refused('too-large');
    // Variables (EXT-X-DEFINE) are not filled in: an address with one would be another.
    if (uri.includes('{$') || !URL.canParse(uri, base)) throw new Refused('not-a-stream');
    const url = new URL(uri, base).href;
    characters += url.length;
    if (url.length > longestAddress || characters > mostAddressCharacters) throw new Refused('too-large');
    const placed = place({ url, kind, range });
    if (placed === null) throw new Refused('address-refused');
    return placed;
  };
}

/** What is told about the segment to come. */
interface Ahead {
  seconds: number | null;
  range: { readonly length: number; readonly offset: number | null } | null;
  variant: string | null;
}

function write(lines: readonly string[], place: Place): string[] {
  const out = ['#EXTM3U'];
  const ahead: Ahead = { seconds: null, range: null, variant: null };
  /** Behind the latest part of a file, where the next one begins unless it says otherwise. */
  let behind: { readonly uri: string; readonly at: number } | null = null;
  for (const raw of lines) {
    if (raw.length > longestLine) throw new Refused('not-a-stream');
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('#')) {
      if (line.startsWith('#EXT')) tag(line, ahead, out, place);
      continue;
    }
    if (ahead.variant !== null) {
      if (ahead.variant !== '') out.push(ahead.variant, place(line, 'playlist'));
    } else if (ahead.seconds !== null) {
      const { range } = ahead;
      const first: number = range === null ? 0 : (range.offset ?? (behind?.uri === line ? behind.at : 0));
      behind = range === null ? null : { uri: line, at: first + range.length };
      const part = range === null ? null : ([first, first + range.length - 1] as const);
      out.push(`#EXTINF:${ahead.seconds},`, place(line, 'bytes', part));
    } else throw new Refused('not-a-stream');
    Object.assign(ahead, { seconds: null, range: null, variant: null });
  }
  if (!out.some((line) => !line.startsWith('#'))) throw new Refused('not-a-stream');
  return out;
}

const plain = new Set(['EXT-X-DISCONTINUITY', 'EXT-X-ENDLIST', 'EXT-X-GAP', 'EXT-X-INDEPENDENT-SEGMENTS']);
const counting = new Set([
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
]);

/** Writes one tag as far as it is understood. Low latency, interstitials, subtitles and statistics are not. */
function tag(line: string, ahead: Ahead, out: string[], place: Place): void {
  const [, name = '', value = ''] = /^#([A-Z0-9-]+)(?::(.*))?$/.exec(line) ?? [];
  if (plain.has(name)) out.push(`#${name}`);
  else if (counting.has(name)) out.push(`#${name}:${whole(value)}`);
  else if (name === 'EXTINF') ahead.seconds = ratio(value.split(',')[0] ?? '');
  else if (name === 'EXT-X-BYTERANGE') ahead.range = byteRange(value);
  else if (name === 'EXT-X-PLAYLIST-TYPE' && /^(VOD|EVENT)$/.test(value)) out.push(`#${name}:${value}`);
  else if (name === 'EXT-X-PROGRAM-DATE-TIME') out.push(...moment(value).map((at) => `#${name}:${at}`));
  else if (name === 'EXT-X-MAP') out.push(beginning(attributesOf(value), place));
  else if (name === 'EXT-X-KEY') out.push(key(attributesOf(value), place));
  else if (name === 'EXT-X-STREAM-INF') ahead.variant = variant(attributesOf(value));
  else if (name === 'EXT-X-MEDIA') out.push(...rendition(attributesOf(value), place));
}

function byteRange(text: string): Ahead['range'] {
  const [, length = '', offset] = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text) ?? [];
  if (!(Number(length) > 0)) throw new Refused('not-a-stream');
  return { length: Number(length), offset: offset === undefined ? null : Number(offset) };
}

function address(attributes: Attributes): string {
  const uri = attributes.get('URI');
  if (uri === undefined) throw new Refused('not-a-stream');
  return uri;
}

function beginning(attributes: Attributes, place: Place): string {
  const range = attributes.get('BYTERANGE');
  const part = range === undefined ? null : byteRange(range);
  const first = part?.offset ?? 0;
  const placed = place(address(attributes), 'bytes', part === null ? null : [first, first + part.length - 1]);
  return `#EXT-X-MAP:URI="${placed}"`;
}

/** Whole segments under AES-128 with a key from an address; anything else is copy protection. */
function key(attributes: Attributes, place: Place): string {
  const method = attributes.get('METHOD');
  if (method === 'NONE') return '#EXT-X-KEY:METHOD=NONE';
  if (method !== 'AES-128' || (attributes.get('KEYFORMAT') ?? 'identity') !== 'identity')
    throw new Refused('encrypted');
  const vector = hex128(attributes.get('IV'));
  return `#EXT-X-KEY:METHOD=AES-128,URI="${place(address(attributes), 'bytes')}"${vector === null ? '' : `,IV=${vector}`}`;
}

/** The line of a variant; empty for one that is not to be shown. */
function variant(attributes: Attributes): string {
  const size = resolution(attributes.get('RESOLUTION'));
  if (size !== null) {
    try {
      checkDimensions(...size);
    } catch {
      return '';
    }
  }
  const parts = [
    `BANDWIDTH=${whole(attributes.get('BANDWIDTH') ?? '')}`,
    ...token('CODECS', attributes, /^[A-Za-z0-9.,\x20_-]{1,256}$/),
    ...(size === null ? [] : [`RESOLUTION=${size.join('x')}`]),
    ...(attributes.has('FRAME-RATE') ? [`FRAME-RATE=${ratio(attributes.get('FRAME-RATE') ?? '')}`] : []),
    ...quoted('AUDIO', attributes),
  ];
  return `#EXT-X-STREAM-INF:${parts.join(',')}`;
}

/** Other sound than that of the variant; subtitles and other pictures are left out. */
function rendition(attributes: Attributes, place: Place): string[] {
  if (attributes.get('TYPE') !== 'AUDIO') return [];
  const yes = (name: string) => (attributes.get(name) === 'YES' ? [`${name}=YES`] : []);
  const uri = attributes.get('URI');
  const parts = [
    'TYPE=AUDIO',
    ...quoted('GROUP-ID', attributes),
    ...quoted('NAME', attributes),
    ...token('LANGUAGE', attributes, /^[A-Za-z0-9-]{1,35}$/),
    ...yes('DEFAULT'),
    ...yes('AUTOSELECT'),
    ...token('CHANNELS', attributes, /^\d{1,3}$/),
    ...(uri === undefined ? [] : [`URI="${place(uri, 'playlist')}"`]),
  ];
  return [`#EXT-X-MEDIA:${parts.join(',')}`];
}

import * as z from 'zod';
import { type Checked, checkAddress, checkHeaders } from './address.ts';
import { invalid, readDocument } from './document.ts';
import {
  type Asset,
  type Item,
  type MediaHash,
  type Playlist,
  type PlaylistEntry,
  type Transition,
  transitions,
} from './playlist.ts';

export type { MediaHash, Playlist } from './playlist.ts';

export interface ParseOptions {
  /** Origins, such as `http://media.lan`, whose media may come over plain http. */
  readonly allowHttpFor: readonly string[];
}

const shortestSeconds = 0.1;
const longestSeconds = 86_400;

const id = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,63}$/, 'must be 1 … 64 characters of A–Z a–z 0–9 _ - . :');
const title = z.string().max(4_096);
const shortText = z.string().max(256);
const count = z.int().nonnegative();
const timestamp = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** Clamped, so that "for ever" cannot overflow a timer; JSON's 1e999 reads as infinite and is refused. */
const duration = z
  .number()
  .positive()
  .transform((seconds) => Math.min(longestSeconds, Math.max(shortestSeconds, seconds)));

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits')
  .transform((hex) => hex.toLowerCase() as MediaHash);

const md5 = z.union([
  z.literal('skip_md5').transform(() => null),
  z
    .string()
    .regex(/^[0-9a-f]{32}$/i, 'must be 32 hex digits or skip_md5')
    .transform((hex) => hex.toLowerCase()),
]);

const zone = z.string().max(64).refine(isZone, 'must be an IANA time zone');

/** Types of the wire and what they are to the player. */
const kinds: ReadonlyMap<string, 'image' | 'video' | 'audio' | 'web'> = new Map([
  ['image', 'image'],
  ['video', 'video'],
  ['audio', 'audio'],
  ['web', 'web'],
  ['appweb', 'web'],
  ['edge-app', 'web'],
]);

function assetSchema(options: ParseOptions) {
  const address = z.string().transform(checkedBy((text) => checkAddress(text, options.allowHttpFor)));
  const origin = address
    .refine((href) => new URL(href).origin === href.replace(/\/$/, ''), 'must be an origin')
    .transform((href) => new URL(href).origin);
  // A record schema would drop `__proto__` in silence; this one sees it and refuses.
  const headers = z
    .custom<object>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'must be an object',
    )
    .transform(checkedBy(checkHeaders));
  const known = z.object({
    type: z.string().max(64),
    id,
    title,
    asset_url: address,
    headers: headers.nullish(),
    sha256: sha256.nullish(),
    md5: md5.nullish(),
    size: count.nullish(),
    width: count.nullish(),
    height: count.nullish(),
    duration: duration.nullish(),
    status: shortText.nullish(),
    allowed_origins: z.array(origin).max(16).nullish(),
    refresh_interval: z.number().min(10).max(longestSeconds).nullish(),
    zoom: z.number().min(0.25).max(5).nullish(),
    scroll_top: z.number().min(0).max(100_000).nullish(),
    scroll_speed: z.number().min(0).max(1_000).nullish(),
    sound: z.boolean().nullish(),
  });
  const unknown = z.object({ type: z.string().max(64), id, title, status: shortText.nullish() });
  return z.unknown().transform((value, context): Asset => {
    const base = unknown.safeParse(value);
    if (!base.success) return forward(base.error, context);
    const kind = kinds.get(base.data.type);
    const ready = (base.data.status ?? 'finished') === 'finished';
    if (kind === undefined || !ready) {
      const { id, title } = base.data;
      return { kind: 'unsupported', id, title, reason: kind === undefined ? 'type' : 'status' };
    }
    const whole = known.safeParse(value);
    if (!whole.success) return forward(whole.error, context);
    const { data } = whole;
    const common = {
      id: data.id,
      title: data.title,
      url: data.asset_url,
      headers: data.headers ?? {},
      durationSeconds: data.duration ?? null,
    };
    const allowedOrigins = data.allowed_origins ?? [];
    if (kind === 'web') {
      const { refresh_interval, zoom, scroll_top, scroll_speed, sound } = data;
      const [refreshSeconds, scrollTop, scrollSpeed] = [refresh_interval ?? null, scroll_top ?? 0, scroll_speed ?? 0];
      const looks = { refreshSeconds, zoom: zoom ?? 1, scrollTop, scrollSpeed, sound: sound ?? false };
      return { kind, ...common, allowedOrigins, ...looks };
    }
    const [hash, sum, sizeBytes] = [data.sha256 ?? null, data.md5 ?? null, data.size ?? null];
    return { kind, ...common, sha256: hash, md5: sum, sizeBytes };
  });
}

/** `true` is the transition that a playlist gets that asks for any. */
const named = (wanted: boolean): Transition => (wanted ? 'fade' : 'cut');

function documentSchema(options: ParseOptions) {
  const item = z
    .object({ id, position: z.number(), duration: duration.nullish(), asset: assetSchema(options) })
    .transform(({ duration, ...rest }) => ({ ...rest, durationSeconds: duration ?? null }));
  const entry = z
    .object({
      id,
      title,
      predicate: z.string(),
      priority: z.union([z.boolean(), z.literal(0), z.literal(1)]).transform(Boolean),
      is_enabled: z.boolean(),
      transitions: z.union([z.boolean().transform(named), z.enum(transitions)]).default('cut'),
      items: z.array(item),
    })
    .transform(({ is_enabled, items, ...rest }): PlaylistEntry => {
      const ordered = items.toSorted((a, b) => a.position - b.position);
      const playing = ordered.map(({ id, durationSeconds, asset }): Item => ({ id, durationSeconds, asset }));
      return { ...rest, isEnabled: is_enabled, items: playing };
    });
  const config = z.object({
    display_rotate: z.literal([0, 90, 180, 270]).default(0),
    shuffle_playlist: z.boolean().default(false),
    audio_output: z.string().max(64).nullish(),
    play_history_enabled: z.boolean().default(false),
  });
  return z.object({
    now: timestamp,
    deadline: timestamp,
    version: count,
    screen: z.object({ id, name: title, hostname: shortText, timezone: zone, config }),
    playlists: z.array(entry),
  });
}

/**
 * A playlist document, checked from top to bottom. Unknown fields are ignored;
 * a missing, mistyped or out-of-bounds one refuses the whole document.
 * @param text JSON, already bounded by whoever downloaded it
 * @throws PlayerError PLAYLIST_INVALID with the path and the reason
 */
export function parsePlaylist(text: string, options: ParseOptions): Playlist {
  const result = documentSchema(options).safeParse(readDocument(text));
  if (!result.success) {
    const [first] = result.error.issues;
    throw invalid(first?.path.join('.') || '(document)', first?.message ?? 'not a playlist document');
  }
  const { now, deadline, version, screen, playlists } = result.data;
  checkUnique(playlists);
  const { config, ...named } = screen;
  return {
    nowMs: now,
    deadlineMs: deadline,
    version,
    screen: {
      ...named,
      displayRotate: config.display_rotate,
      shufflePlaylist: config.shuffle_playlist,
      audioOutput: config.audio_output ?? null,
      playHistoryEnabled: config.play_history_enabled,
    },
    playlists,
  };
}

/** Items that this version cannot show, for the report. */
export function unsupportedItems(playlist: Playlist): readonly { itemId: string; reason: 'type' | 'status' }[] {
  return playlist.playlists
    .flatMap((entry) => entry.items)
    .flatMap(({ id, asset }) => (asset.kind === 'unsupported' ? [{ itemId: id, reason: asset.reason }] : []));
}

function checkUnique(playlists: readonly PlaylistEntry[]): void {
  const seen = { playlist: new Set<string>(), item: new Set<string>() };
  const once = (what: 'playlist' | 'item', id: string, path: string) => {
    if (seen[what].has(id)) throw invalid(path, `another ${what} has the id ${id}`);
    seen[what].add(id);
  };
  for (const [at, entry] of playlists.entries()) {
    once('playlist', entry.id, `playlists.${at}.id`);
    for (const item of entry.items) once('item', item.id, `playlists.${at}.items`);
  }
}

function checkedBy<In, Out>(check: (value: In) => Checked<Out>) {
  return (value: In, context: z.RefinementCtx): Out => {
    const checked = check(value);
    if (checked.ok) return checked.value;
    context.addIssue({ code: 'custom', message: checked.reason });
    return z.NEVER;
  };
}

function forward(error: z.ZodError, context: z.RefinementCtx): never {
  for (const issue of error.issues) context.addIssue({ code: 'custom', message: issue.message, path: [...issue.path] });
  return z.NEVER;
}

function isZone(name: string): boolean {
  // A bare offset such as +01:00 is accepted by Intl but knows no daylight saving: not a zone.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

import * as z from 'zod';
import { invalid, readDocument } from './document.ts';
import { Misfit } from './fields.ts';
import { type PlacedItem, readItem } from './item.ts';
import { type Item, type Playlist, type PlaylistEntry, type Transition, transitions } from './playlist.ts';

export type { MediaHash, Playlist } from './playlist.ts';

export interface ParseOptions {
  /** Origins, such as `http://media.lan`, whose media may come over plain http. */
  readonly allowHttpFor: readonly string[];
}

const id = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,63}$/, 'must be 1 … 64 characters of A–Z a–z 0–9 _ - . :');
const title = z.string().max(4_096);
const shortText = z.string().max(256);
const count = z.int().nonnegative();
const timestamp = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const zone = z.string().max(64).refine(isZone, 'must be an IANA time zone');

/** `true` is the transition that a playlist gets that asks for any. */
const named = (wanted: boolean): Transition => (wanted ? 'fade' : 'cut');

function documentSchema(options: ParseOptions) {
  const entry = z
    .object({
      id,
      title,
      predicate: z.string(),
      priority: z.union([z.boolean(), z.literal(0), z.literal(1)]).transform(Boolean),
      is_enabled: z.boolean(),
      transitions: z.union([z.boolean().transform(named), z.enum(transitions)]).default('cut'),
      items: z.array(z.unknown()).transform(itemsBy(options)),
    })
    .transform(({ is_enabled, ...rest }): PlaylistEntry => ({ ...rest, isEnabled: is_enabled }));
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

const schemas = new WeakMap<readonly string[], ReturnType<typeof documentSchema>>();

/** The settings are read once, and the schema is made once for them: that takes milliseconds. */
function schemaFor(options: ParseOptions): ReturnType<typeof documentSchema> {
  const made = schemas.get(options.allowHttpFor) ?? documentSchema(options);
  schemas.set(options.allowHttpFor, made);
  return made;
}

/**
 * A playlist document, checked from top to bottom. Unknown fields are ignored;
 * a missing, mistyped or out-of-bounds one refuses the whole document.
 * @param text JSON, already bounded by whoever downloaded it
 * @throws PlayerError PLAYLIST_INVALID with the path and the reason
 */
export function parsePlaylist(text: string, options: ParseOptions): Playlist {
  const result = schemaFor(options).safeParse(readDocument(text));
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

/** Every item, in playing order. */
function itemsBy({ allowHttpFor }: ParseOptions) {
  return (values: readonly unknown[], context: z.RefinementCtx): readonly Item[] => {
    const placed: PlacedItem[] = [];
    for (const [at, value] of values.entries()) {
      try {
        placed.push(readItem(value, allowHttpFor));
      } catch (thrown) {
        if (!(thrown instanceof Misfit)) throw thrown;
        const path = [at, ...thrown.path.split('.').filter((part) => part !== '')];
        context.addIssue({ code: 'custom', message: thrown.message, path });
        return z.NEVER;
      }
    }
    return placed.sort((a, b) => a.position - b.position).map(({ item }) => item);
  };
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

import { createHash } from 'node:crypto';
import type { CachedMedia } from '../cache/media.ts';
import type { Fit, Program, ProgramItem } from '../ipc/contract.ts';
import type { Item, MediaAsset, PlaylistEntry, StreamAsset, Transition } from '../playlist/playlist.ts';
import { formats } from './format.ts';
import { boundedText } from './text.ts';

export interface ProgramOptions {
  /** The cached file of an asset, or `null`. */
  find(asset: MediaAsset): CachedMedia | null;
  /** By what the page may ask for a stream. */
  streamId(asset: StreamAsset): string;
  readonly fit: Fit;
  /** Any text, such as the document's version: the same seed gives the same order. `null`: in order of position. */
  readonly shuffleSeed: string | null;
}

/** An item that is left out, and why; to be reported, never to be skipped in silence. */
export interface Omission {
  readonly itemId: string;
  readonly reason: 'unsupported-type' | 'not-ready' | 'not-cached';
}

export interface BuiltProgram {
  readonly program: Program;
  readonly omitted: readonly Omission[];
}

/** How long a picture or page is shown when neither item nor asset says so. */
const defaultSeconds = 10;

/**
 * What the page gets to know of what plays: kinds from content, bounded texts,
 * and no address of any server.
 * @param playing from the timetable, in document order
 */
export function buildProgram(
  playing: readonly Pick<PlaylistEntry, 'items' | 'transitions'>[],
  options: ProgramOptions,
): BuiltProgram {
  const items: ProgramItem[] = [];
  const omitted: Omission[] = [];
  for (const { items: entries, transitions } of playing) {
    for (const item of inOrder(entries, options.shuffleSeed)) {
      const built = programItem(item, transitions, options);
      if (typeof built === 'string') omitted.push({ itemId: item.id, reason: built });
      else items.push(built);
    }
  }
  return { program: { programId: digest(JSON.stringify(items)), items }, omitted };
}

function programItem(
  { id, asset, durationSeconds }: Item,
  transition: Transition,
  options: ProgramOptions,
): ProgramItem | Omission['reason'] {
  if (asset.kind === 'unsupported') return asset.reason === 'type' ? 'unsupported-type' : 'not-ready';
  const seconds = durationSeconds ?? asset.durationSeconds;
  const { fit } = options;
  const title = boundedText(asset.title);
  if (asset.kind === 'web')
    return {
      itemId: id,
      title,
      fit,
      transition,
      kind: 'web',
      source: null,
      durationSeconds: seconds ?? defaultSeconds,
    };
  if (asset.kind === 'stream')
    return {
      itemId: id,
      title,
      fit,
      transition,
      kind: 'stream',
      source: `player://stream/${options.streamId(asset)}/0`,
      durationSeconds: seconds,
    };
  const media = options.find(asset);
  if (media === null) return 'not-cached';
  const { kind } = formats[media.format];
  return {
    itemId: id,
    title,
    fit,
    transition,
    kind,
    source: `player://media/${media.hash}`,
    durationSeconds: seconds ?? (kind === 'image' ? defaultSeconds : null),
  };
}

function inOrder(items: readonly Item[], seed: string | null): readonly Item[] {
  if (seed === null) return items;
  const drawn = items.map((item) => ({ item, lot: digest(JSON.stringify([seed, item.id])) }));
  return drawn.sort((a, b) => (a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : 0)).map(({ item }) => item);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

import { PlayerError } from '../errors.ts';
import type { Playlist } from './playlist.ts';

/** The server's answer to `GET …/playlist`. Expected refusals are values. */
export type Download =
  | { readonly type: 'unchanged' }
  | { readonly type: 'document'; readonly text: string; readonly etag: string | undefined }
  /** 401, 403: the screen is revoked for now. */
  | { readonly type: 'suspended' }
  /** 410: the screen was removed for good. */
  | { readonly type: 'removed' };

/** What a sync needs from the world. */
export interface SyncPorts {
  download(knownTag: string | undefined): Promise<Download>;
  /** @throws PlayerError PLAYLIST_INVALID */
  parse(text: string): Playlist;
  /** Resolves once every media file of the playlist is in the store; rejects with the first that cannot be had. */
  ensureCached(playlist: Playlist): Promise<void>;
  /** Keep as the last good playlist, written through to the disk. */
  keep(text: string, etag: string | undefined): Promise<void>;
  /** Called only once every file is on disk. */
  publish(playlist: Playlist): void;
}

/** What plays now, as far as a sync must know. */
export interface Known {
  readonly etag: string | undefined;
  readonly version: number | undefined;
  readonly screenId: string | undefined;
  /** The server's clock in the document that plays, Unix milliseconds. */
  readonly nowMs: number | undefined;
}

export type SyncOutcome =
  | { readonly type: 'unchanged' | 'suspended' | 'removed' }
  | { readonly type: 'published'; readonly version: number; readonly deadlineMs: number };

/**
 * One sync: download → parse → ensure cached → keep → publish. Whatever fails on
 * the way, the old playlist is untouched.
 * @throws PlayerError with the reason
 */
export async function sync(ports: SyncPorts, known: Known): Promise<SyncOutcome> {
  const download = await ports.download(known.etag);
  if (download.type !== 'document') return download;
  const playlist = ports.parse(download.text);
  if (isStale(playlist, known))
    throw new PlayerError(
      'PLAYLIST_INVALID',
      `version: went back from ${known.version} to ${playlist.version}: the old playlist keeps playing`,
    );
  await ports.ensureCached(playlist);
  await ports.keep(download.text, download.etag);
  ports.publish(playlist);
  return { type: 'published', version: playlist.version, deadlineMs: playlist.deadlineMs };
}

/**
 * An older document of the same screen, such as a cache on the way may hold. A server that was restored from a backup
 * counts from a lower version too, but on a later day.
 */
function isStale(playlist: Playlist, known: Known): boolean {
  if (known.version === undefined || known.screenId !== playlist.screen.id) return false;
  return playlist.version < known.version && playlist.nowMs <= (known.nowMs ?? 0);
}

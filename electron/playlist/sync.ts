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
  /**
   * Resolves once every media file of the playlist is in the store; rejects with the first that cannot be had, or when
   * `signal` aborts. Calls `stored` whenever a file has come.
   */
  ensureCached(playlist: Playlist, signal: AbortSignal, stored: () => void): Promise<void>;
  /**
   * Resolves when it is time to ask whether the playlist is still the one, while its files are fetched; never when
   * nobody wants to know. Rejects when `signal` aborts.
   */
  askAgain(signal: AbortSignal): Promise<void>;
  /**
   * Called as a sync ends before the question that `askAgain` led to was answered, or after it failed: a change that it
   * was about is known to nobody, and another sync has to ask.
   */
  unanswered(): void;
  /** Whether a playlist whose files are not all here may play already (`policy.partialPlaylist`: progressive). */
  mayPlayInPart(playlist: Playlist): boolean;
  /** Keep as the last good playlist, written through to the disk. */
  keep(text: string, etag: string | undefined): Promise<void>;
  /** Called only once every file is on disk, or `mayPlayInPart` allowed it. */
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

type Document = Extract<Download, { type: 'document' }>;

/**
 * One sync: download → parse → ensure cached → keep → publish. Whatever fails on
 * the way, the old playlist is untouched. While files are fetched the playlist is asked for again: a newer one takes
 * the place of the one that was being prepared, and what has come of its files is kept.
 * @throws PlayerError with the reason
 */
export async function sync(ports: SyncPorts, known: Known, signal?: AbortSignal): Promise<SyncOutcome> {
  let download = await ports.download(known.etag);
  for (;;) {
    if (download.type !== 'document') return download;
    const document = download;
    const playlist = ports.parse(document.text);
    if (isStale(playlist, known))
      throw new PlayerError(
        'PLAYLIST_STALE',
        `version: went back from ${known.version} to ${playlist.version}: the old playlist keeps playing`,
      );
    const newer = await prepare(ports, document, playlist, signal);
    if (newer === null) return { type: 'published', version: playlist.version, deadlineMs: playlist.deadlineMs };
    download = newer;
  }
}

/** @returns `null` once the playlist is published, else what the server says now */
async function prepare(
  ports: SyncPorts,
  { text, etag }: Document,
  playlist: Playlist,
  signal: AbortSignal | undefined,
): Promise<Download | null> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  let published: Promise<void> | null = null;
  const publish = async () => {
    await ports.keep(text, etag);
    ports.publish(playlist);
  };
  const inPart = () => {
    if (published !== null || !ports.mayPlayInPart(playlist)) return;
    published = publish();
    // Its failure is thrown below, where it is awaited.
    published.catch(() => undefined);
  };
  const caching = ports.ensureCached(playlist, either, inPart);
  const asking = somethingElse(ports, { text, etag }, playlist, either);
  try {
    inPart();
    const newer = await Promise.race([caching.then(() => null), asking]);
    if (newer !== null) return newer;
    if (published === null) await publish();
    else {
      await published;
      ports.publish(playlist);
    }
    over.abort();
    // An answer that came with the last file, or while the playlist was kept, was not heard.
    await asking.then(ports.unanswered, () => undefined);
    return null;
  } finally {
    over.abort();
    // Also a publication in part: it must not come after what the next sync publishes.
    await Promise.allSettled([caching, asking, published]);
  }
}

/** Resolves when the server says something else, and nothing older, than the document that is being prepared. */
async function somethingElse(
  ports: SyncPorts,
  { text, etag }: Pick<Document, 'text' | 'etag'>,
  playlist: Playlist,
  signal: AbortSignal,
): Promise<Download> {
  let isOwed = false;
  for (;;) {
    try {
      await ports.askAgain(signal);
      isOwed = true;
      const answer = await ports.download(etag);
      const same = answer.type === 'unchanged' || (answer.type === 'document' && answer.text === text);
      if (!same && !signal.aborted && !isOlder(answer, playlist, ports.parse)) return answer;
      isOwed = !same;
    } catch {
      // The files may come from elsewhere: whether they do decides. What cannot be read is asked for again, and reported.
    }
    if (!signal.aborted) continue;
    if (isOwed) ports.unanswered();
    throw signal.reason;
  }
}

/** Whether an answer is from before a playlist. @throws PlayerError PLAYLIST_INVALID */
function isOlder(answer: Download, { version, screen, nowMs }: Playlist, parse: SyncPorts['parse']): boolean {
  if (answer.type !== 'document') return false;
  return isStale(parse(answer.text), { etag: undefined, version, screenId: screen.id, nowMs });
}

/**
 * An older document of the same screen, such as a cache on the way may hold. A server that was restored from a backup
 * counts from a lower version too, but on a later day.
 */
function isStale(playlist: Playlist, known: Known): boolean {
  if (known.version === undefined || known.screenId !== playlist.screen.id) return false;
  return playlist.version < known.version && playlist.nowMs <= (known.nowMs ?? 0);
}

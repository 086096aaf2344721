import { join } from 'node:path';
import { createLastGoodFile } from '../cache/last-good.ts';
import type { CachedMedia } from '../cache/media.ts';
import { type MediaStore, openStore } from '../cache/store.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { MediaPorts } from '../mtls/media.ts';
import type { MediaAsset, MediaHash, Playlist } from '../playlist/playlist.ts';
import { parsePlaylist } from '../playlist/schema.ts';
import type { Known, SyncPorts } from '../playlist/sync.ts';
import { buildProgram } from '../sanitize/program.ts';
import { recognize } from '../sanitize/recognize.ts';
import { createAlarm } from '../schedule/alarm.ts';
import { timetable } from '../schedule/timetable.ts';
import type { Settings } from '../settings.ts';
import type { FactBook } from './facts.ts';
import { ensureAll, hashesOf, mediaOf } from './media-files.ts';

/** Longest media file, bytes. */
const largestMediaBytes = 16 * 2 ** 30;

/** Deaths of the page that a file may be suspected of. */
const mostDeaths = 2;
const suspicionMs = 60 * 60_000;

/** What is played: the last good playlist, its media on disk, and the program of this moment. */
export interface Content {
  known(): Known;
  /** The ports of a sync, but for the download itself. */
  syncPorts(media: Omit<MediaPorts, 'allowHttpFor'>, signal: AbortSignal): Omit<SyncPorts, 'download'>;
  /**
   * Hash the media of the present playlist again; what is damaged is no longer shown.
   * @returns whether all were whole; if not, a sync fetches them anew
   */
  verify(signal: AbortSignal): Promise<boolean>;
  locate(hash: string): ReturnType<MediaStore['locate']>;
  /** The page died while it opened this file; one that does it again is not shown any more. */
  pageDied(hash: MediaHash): void;
  /** Forget playlist and media of a removed screen. */
  forget(): Promise<void>;
}

/** Open the store and play the last good playlist, before any network call. @throws PlayerError STORE_… */
export async function openContent(settings: Settings, facts: FactBook, log: Log): Promise<Content> {
  const { directory } = settings.state;
  const allowHttpFor = settings.network.allowHttpFor;
  const parse = (text: string) => parsePlaylist(text, { allowHttpFor });
  const lastGood = createLastGoodFile(join(directory, 'playlist.json'));
  const store = await openStore({
    directory: join(directory, 'store'),
    recognize,
    maxBytes: largestMediaBytes,
    now: Date.now,
  });
  let playlist: Playlist | null = null;
  let etag: string | undefined;
  let release = () => {};
  let shownProgram = '';

  const find = (asset: MediaAsset): CachedMedia | null => store.find({ ...asset, assetId: asset.id });
  const deaths = new Map<MediaHash, { readonly count: number; readonly atMs: number }>();
  const findHarmless = (asset: MediaAsset): CachedMedia | null => {
    const media = find(asset);
    return media !== null && (deaths.get(media.hash)?.count ?? 0) >= mostDeaths ? null : media;
  };
  const alarm = createAlarm(
    {
      wallMs: Date.now,
      monotonicMs: () => performance.now(),
      after: (delayMs, callback) => {
        const timer = setTimeout(callback, delayMs);
        return () => clearTimeout(timer);
      },
    },
    (why) => {
      if (why === 'clock-jumped') log.warn('clock-jumped');
      show();
    },
  );

  function show(): void {
    facts.refresh();
    if (playlist === null) {
      facts.update({ program: null });
      return;
    }
    const now = timetable(playlist.playlists, playlist.screen.timezone, Date.now());
    for (const problem of now.problems)
      log.warn('predicate-invalid', { code: problem.code, reason: `${problem.position}: ${problem.reason}` });
    const [first] = now.problems;
    facts.problem('schedule', first === undefined ? null : new PlayerError(first.code, first.reason));
    const shuffleSeed = playlist.screen.shufflePlaylist ? String(playlist.version) : null;
    const { program, omitted } = buildProgram(now.playing, {
      find: findHarmless,
      fit: settings.display.fit,
      shuffleSeed,
    });
    if (program.programId !== shownProgram)
      for (const { itemId, reason } of omitted) log.warn('item-omitted', { itemId, reason });
    shownProgram = program.programId;
    facts.update({ program, rotationAsked: playlist.screen.displayRotate });
    alarm.set(now.nextChangeMs);
  }

  function publish(next: Playlist): void {
    const releaseOld = release;
    release = store.lease(hashesOf(next, find));
    releaseOld();
    playlist = next;
    show();
    store.evict(settings.store.budgetBytes).then(
      () => facts.problem('store', null),
      (thrown: unknown) => {
        log.failure('evict-failed', thrown);
        facts.problem('store', asPlayerError(thrown));
      },
    );
  }

  const kept = await lastGood.read();
  if (kept.found === 'damaged') log.warn('last-good-playlist-damaged', { code: 'STATE_CORRUPT', reason: kept.reason });
  if (kept.found === 'document') {
    try {
      publish(parse(kept.lastGood.text));
      etag = kept.lastGood.etag;
    } catch (thrown) {
      log.failure('last-good-playlist-refused', thrown);
    }
  }
  return {
    known: () => {
      const whole = playlist !== null && mediaOf(playlist).every((asset) => find(asset) !== null);
      // With a file missing the tag is withheld, so that the next sync fetches what was lost.
      return {
        etag: whole ? etag : undefined,
        version: playlist?.version,
        screenId: playlist?.screen.id,
        nowMs: playlist?.nowMs,
      };
    },
    verify: async (signal) => {
      let whole = true;
      for (const hash of playlist === null ? [] : hashesOf(playlist, find)) {
        if (signal.aborted || (await store.verify(hash))) continue;
        whole = false;
        log.warn('media-damaged', { code: 'MEDIA_DIGEST', hash });
        show();
      }
      return whole;
    },
    locate: (hash) => store.locate(hash),
    pageDied: (hash) => {
      const before = deaths.get(hash);
      const atMs = performance.now();
      // Two crashes weeks apart have nothing to do with the file.
      const count = before !== undefined && atMs - before.atMs < suspicionMs ? before.count + 1 : 1;
      deaths.set(hash, { count, atMs });
      if (count !== mostDeaths) return;
      log.warn('media-kills-page', { hash });
      show();
    },
    syncPorts: (media, signal) => ({
      parse,
      ensureCached: async (next) => {
        // Not yet stored, and already safe from being evicted for each other.
        const unlease = store.lease(mediaOf(next).flatMap(({ sha256 }) => sha256 ?? []));
        const wanted = mediaOf(next);
        const { budgetBytes } = settings.store;
        await ensureAll(wanted, store, budgetBytes, { ...media, allowHttpFor }, signal, log).finally(unlease);
      },
      keep: async (text, tag) => {
        await lastGood.keep({ text, etag: tag });
        etag = tag;
      },
      publish,
    }),
    forget: async () => {
      deaths.clear();
      playlist = null;
      etag = undefined;
      release();
      release = () => {};
      await lastGood.forget();
      await store.clear();
      show();
    },
  };
}

import { join } from 'node:path';
import { createLastGoodFile } from '../cache/last-good.ts';
import type { CachedMedia } from '../cache/media.ts';
import { scrub } from '../cache/scrub.ts';
import { type MediaStore, openStore } from '../cache/store.ts';
import { createTurns } from '../cache/turns.ts';
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
import type { WebPage } from '../shell/page-session.ts';
import type { StreamSource } from '../shell/streams.ts';
import type { FactBook } from './facts.ts';
import { createHold } from './hold.ts';
import { ensureAll, mediaOf, wantedOf } from './media-files.ts';
import { streamId, streamsOf } from './stream-items.ts';
import { createSuspicion, leftOutMs } from './suspicion.ts';
import { waitFor } from './waiting.ts';
import { webPagesOf } from './web-items.ts';

/** Longest media file, bytes. */
const largestMediaBytes = 16 * 2 ** 30;
/**
 * The page takes a new program over at the end of the shown item, after a minute at the latest, and fades. Until then
 * the files of the old one are on the screen.
 */
const farewellMs = 90_000;
/** Files that come one after the other change the program together. */
const gatherMs = 1_000;

/** What is played: the last good playlist, its media on disk, and the program of this moment. */
export interface Content {
  known(): Known;
  /** The ports of a sync, but for what needs the server's playlist. */
  syncPorts(media: Omit<MediaPorts, 'allowHttpFor'>): Omit<SyncPorts, 'download' | 'askAgain' | 'unanswered'>;
  /** Look after the store for as long as the player lives. @throws when `signal` aborts */
  care(signal: AbortSignal): Promise<never>;
  /** Bytes of media that came and are kept, since the start. */
  keptBytes(): number;
  /** Called when a sync would bring what is missing: a file was damaged, or the disk can be written again. */
  onMissing(listener: () => void): () => void;
  locate(hash: string): ReturnType<MediaStore['locate']>;
  /** Bytes of a stored file, each chunk checked before it is given out. */
  read: MediaStore['read'];
  /** The web page of an item of the present playlist, or of one before it that may be on the display. */
  webPage(itemId: string): WebPage | null;
  /** The stream that the page knows by this id, likewise. */
  stream(id: string): StreamSource | null;
  /** The page died while it opened this file; one that does it again is not shown any more. */
  pageDied(hash: MediaHash): void;
  /** Forget playlist and media of a removed screen. */
  forget(): Promise<void>;
  /** Look at the clock no longer; what is stored stays. */
  close(): void;
}

interface Live {
  readonly webPages: ReadonlyMap<string, WebPage>;
  readonly streams: ReadonlyMap<string, StreamSource>;
}

/** Open the store and play the last good playlist, before any network call. @throws PlayerError STORE_… */
export async function openContent(settings: Settings, facts: FactBook, log: Log): Promise<Content> {
  const { directory } = settings.state;
  const allowHttpFor = settings.network.allowHttpFor;
  const parse = (text: string) => parsePlaylist(text, { allowHttpFor });
  const lastGood = createLastGoodFile(join(directory, 'playlist.json'));
  const listeners = new Set<() => void>();
  const missing = () => {
    for (const listener of listeners) listener();
  };
  const storeProblem = (thrown: unknown | null) =>
    facts.problem('store', thrown === null ? null : asPlayerError(thrown));
  const store = await openStore({
    directory: join(directory, 'store'),
    recognize,
    maxBytes: largestMediaBytes,
    budgetBytes: settings.store.budgetBytes,
    ...(settings.store.reserveBytes === undefined ? {} : { reserveBytes: settings.store.reserveBytes }),
    now: Date.now,
    damaged: (hash, how) => {
      log.warn('media-damaged', { code: 'MEDIA_DIGEST', hash, reason: how });
      wholePlaylist = null;
      show();
      missing();
    },
    failed: (thrown) => {
      log.failure('store-fault', thrown);
      storeProblem(thrown);
    },
  });
  const turns = createTurns();
  const suspicion = createSuspicion(() => performance.now());
  let playlist: Playlist | null = null;
  let etag: string | undefined;
  const holdNothing = createHold(store, []);
  /** On what may be on the display. */
  let present = holdNothing;
  /** On a playlist that is being prepared; kept for the next try when it fails. */
  let preparing = holdNothing;
  /** Every file of it is known to be here. */
  let wholePlaylist: Playlist | null = null;
  let shownProgram = '';
  let gathering = false;
  /** What may be on the display and is no file: of the present playlist, and behind it of those before. */
  let live: readonly Live[] = [];

  const find = (asset: MediaAsset): CachedMedia | null => store.find(wantedOf(asset));
  const findHarmless = (asset: MediaAsset): CachedMedia | null => {
    const media = find(asset);
    return media !== null && suspicion.isOn(media.hash) ? null : media;
  };
  const programOf = (of: Playlist) => {
    const now = timetable(of.playlists, of.screen.timezone, Date.now());
    const { fit } = settings.display;
    const shuffleSeed = of.screen.shufflePlaylist ? String(of.version) : null;
    return { now, ...buildProgram(now.playing, { find: findHarmless, streamId, fit, shuffleSeed }) };
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
    const { now, program, omitted } = programOf(playlist);
    for (const problem of now.problems)
      log.warn('predicate-invalid', { code: problem.code, reason: `${problem.position}: ${problem.reason}` });
    const [first] = now.problems;
    facts.problem('schedule', first === undefined ? null : new PlayerError(first.code, first.reason));
    if (program.programId !== shownProgram)
      for (const { itemId, reason } of omitted) log.warn('item-omitted', { itemId, reason });
    shownProgram = program.programId;
    facts.update({ program, rotationAsked: playlist.screen.displayRotate });
    alarm.set(now.nextChangeMs);
  }

  const isWhole = (of: Playlist) => {
    if (of !== wholePlaylist) wholePlaylist = mediaOf(of).every((asset) => find(asset) !== null) ? of : null;
    return of === wholePlaylist;
  };
  /** Also those that are not here yet: what comes, from the disk or the server, is on the display at once. */
  const hold = (of: Playlist) =>
    createHold(
      store,
      mediaOf(of).flatMap((asset) => asset.sha256 ?? find(asset)?.hash ?? []),
    );

  function publish(next: Playlist): void {
    const [old, before] = [present, live];
    present = hold(next);
    if (isWhole(next)) preparing.release();
    playlist = next;
    facts.note({ playlistVersion: next.version, storeBytes: store.sizeBytes });
    live = [{ webPages: webPagesOf(next), streams: streamsOf(next) }, ...before];
    show();
    setTimeout(() => {
      old.release();
      live = live.filter((one) => !before.includes(one));
      const noted = store.evict().then(() => facts.note({ storeBytes: store.sizeBytes }));
      noted.catch((thrown: unknown) => {
        log.failure('evict-failed', thrown);
        storeProblem(thrown);
      });
    }, farewellMs).unref();
  }

  /** Files that the index does not know, each shown as soon as it is proven. */
  async function adoptAll(of: Playlist, signal: AbortSignal): Promise<void> {
    for (const { sha256 } of mediaOf(of)) {
      if (signal.aborted) return;
      if (sha256 !== null && store.locate(sha256) === null && (await store.adopt(sha256))) show();
    }
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
      const whole = playlist !== null && isWhole(playlist);
      // With a file missing the tag is withheld, so that the next sync fetches what was lost.
      return {
        etag: whole ? etag : undefined,
        version: playlist?.version,
        screenId: playlist?.screen.id,
        nowMs: playlist?.nowMs,
      };
    },
    care: async (signal) => {
      if (store.indexWas !== 'whole') log.warn('store-index-lost', { outcome: store.indexWas });
      const reconcile: MediaStore['reconcile'] = async (over) => {
        // Also what a crash has left without its entry: looking through all of a large store takes a while.
        if (playlist !== null) await adoptAll(playlist, over).catch(storeProblem);
        return store.reconcile(over).finally(show);
      };
      const looking = { ...store, reconcile };
      return scrub({ store: looking, wait: waitFor, report: storeProblem, recovered: missing, log }, signal);
    },
    keptBytes: () => store.keptBytes,
    onMissing: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    locate: (hash) => store.locate(hash),
    read: store.read,
    webPage: (itemId) => live.find(({ webPages }) => webPages.has(itemId))?.webPages.get(itemId) ?? null,
    stream: (id) => live.find(({ streams }) => streams.has(id))?.streams.get(id) ?? null,
    pageDied: (hash) => {
      if (!suspicion.add(hash)) return;
      log.warn('media-kills-page', { hash });
      show();
      setTimeout(show, leftOutMs).unref();
    },
    syncPorts: (media) => ({
      parse,
      ensureCached: async (next, signal, stored) => {
        const wanted = mediaOf(next);
        // What is stored and what is to come, safe from being evicted for each other until it is published.
        const before = preparing;
        const mine = hold(next);
        preparing = mine;
        before.release();
        const { budgetBytes } = settings.store;
        const ports = { ...media, allowHttpFor };
        const come = ({ hash }: CachedMedia) => {
          mine.add(hash);
          stored();
          if (next !== playlist) return;
          present.add(hash);
          if (gathering) return;
          gathering = true;
          setTimeout(() => {
            gathering = false;
            show();
          }, gatherMs);
        };
        await ensureAll(wanted, { store, budgetBytes, ports, turns, log, stored: come }, signal);
      },
      mayPlayInPart: (next) =>
        settings.policy.partialPlaylist === 'progressive' && programOf(next).program.items.length > 0,
      keep: async (text, tag) => {
        await store.record();
        await lastGood.keep({ text, etag: tag });
        etag = tag;
      },
      publish,
    }),
    forget: async () => {
      suspicion.clear();
      playlist = null;
      live = [];
      etag = undefined;
      present.release();
      preparing.release();
      // Off the display at once, also where the disk cannot be written.
      show();
      await lastGood.forget();
      await store.clear();
    },
    close: alarm.stop,
  };
}

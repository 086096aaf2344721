import { join } from 'node:path';
import { ipcMain, protocol } from 'electron';
import { mediaHash } from '../cache/media.ts';
import type { OperatorView } from '../ipc/contract.ts';
import type { SnapshotFeed } from '../ipc/push.ts';
import { serveIpc } from '../ipc/serve.ts';
import type { Log } from '../log.ts';
import type { Desk } from '../operator/desk.ts';
import { mediaHeaders, pageHeaders } from '../sanitize/headers.ts';
import { openPage, type Page } from '../shell/page.ts';
import type { RecycleBounds } from '../shell/recycling.ts';
import { servePlayerScheme, streamId } from '../shell/scheme.ts';
import type { Trial } from '../updates/trial.ts';
import { createBlame } from './blame.ts';
import type { Content } from './content.ts';
import type { WebPages } from './pages.ts';
import { createPlace } from './place.ts';
import { createPlaybackLog } from './playback-log.ts';
import { openSupervisor } from './supervisor.ts';

export interface ScreenParts {
  readonly feed: SnapshotFeed;
  /** Resolves once the disk has been read: the page's first question is answered then, and not with a guess. */
  readonly content: Promise<Pick<Content, 'locate' | 'read' | 'pageDied' | 'webPage' | 'stream'>>;
  /** Called at the first picture that is shown. */
  firstShown(): void;
  /** Too many restarts of the page. */
  giveUp(): void;
  /** When the page is replaced by a fresh one. */
  readonly bounds: RecycleBounds;
  /** The operator's overlay; `null` where the settings name no PIN. Made before the page. */
  openDesk(page: DeskPage): Desk | null;
  readonly webPages: Pick<WebPages, 'views' | 'streams'>;
  /** Where this is a new version's first start. */
  readonly trial: Pick<Trial, 'seen'>;
  readonly log: Log;
}

/** What the operator's overlay needs of the page. */
export interface DeskPage {
  /** The item on the display. */
  shownItem(): string | null;
  contentsId(): number | null;
  show(view: OperatorView): void;
}

/** Open the page with the only two things it can reach: the `player://` scheme and the checked requests. */
export function openScreen(parts: ScreenParts): Page {
  const { feed, content, firstShown, giveUp, bounds, openDesk, webPages, trial, log } = parts;
  let page: Page | null = null;
  let store: Pick<Content, 'locate' | 'read' | 'pageDied' | 'webPage' | 'stream'> | null = null;
  const blame = createBlame(() => performance.now());
  const itemOf = (itemId: string | null) => {
    const now = feed.current();
    return now.state === 'playing' ? now.program.items.find((item) => item.itemId === itemId) : undefined;
  };
  const fileOf = (itemId: string | null) => mediaHash(itemOf(itemId)?.source?.slice(-64) ?? '');
  const read = content.then((ready) => {
    store = ready;
  });
  const playback = createPlaybackLog(log);
  const monotonicMs = () => performance.now();
  const place = createPlace(monotonicMs);
  const supervisor = openSupervisor({ env: process.env, current: feed.current, monotonicMs, log });
  let shownItem: string | null = null;
  const desk = openDesk({
    shownItem: () => shownItem,
    contentsId: () => page?.contentsIds()[0] ?? null,
    show: (view) => page?.send('operator:changed', view),
  });
  const views = webPages.views({
    page: () => page,
    address: (itemId) => store?.webPage(itemId) ?? null,
    owners: () => page?.contentsIds() ?? [],
    changed: (change) => page?.send('view:changed', change),
  });
  const streams = webPages.streams((id) => store?.stream(id) ?? null);
  servePlayerScheme(protocol, {
    stream: streams.answer,
    pageDirectory: join(__dirname, 'renderer'),
    pageHeaders,
    media: (hash) => {
      const media = store?.locate(hash) ?? null;
      if (media !== null) blame.opened(media.hash);
      if (media === null || store === null) return null;
      const { read } = store;
      const { sizeBytes, format } = media;
      return {
        sizeBytes,
        headers: mediaHeaders(format),
        read: (first, last) => read(media.hash, first, last),
      };
    },
  });
  serveIpc(
    ipcMain,
    {
      'player:snapshot': () => read.then(feed.current),
      'playback:resume': () => read.then(place.resume),
      'playback:report': (report, from) => {
        if (report.outcome === 'shown') {
          firstShown();
          trial.seen(true);
          if (page?.shown(from, itemOf(report.itemId)?.kind === 'image') === true) place.shown(report.itemId);
          views.pageShows();
        }
        if (report.outcome === 'failed') streams.giveUp(streamId(itemOf(report.itemId)?.source));
        playback.report(report);
        supervisor.report(report);
        return undefined;
      },
      'heartbeat:beat': ({ frames, itemId, preparingId }, from) => {
        shownItem = itemId;
        if (from === page?.contentsIds()[0]) blame.beaten(fileOf(preparingId), fileOf(itemId));
        page?.beat(from, frames);
        supervisor.beat(itemId);
        trial.seen(false);
        return undefined;
      },
      'operator:enter': async ({ pin }) => {
        await desk?.enter(pin);
        return undefined;
      },
      'view:prepare': ({ playId, itemId }, from) => void views.prepare(playId, itemId, from),
      'view:reveal': ({ playId }) => views.reveal(playId).then(() => undefined),
      'view:release': ({ playId }) => void views.release(playId),
      'view:veil': ({ veiled }) => void views.veil(veiled),
    },
    () => page?.contentsIds() ?? [],
    log,
  );
  page = openPage({
    preload: join(__dirname, 'preload.cjs'),
    monotonicMs,
    // A file that is too much for the page kills it as it is opened.
    died: () => {
      place.died();
      views.pageDied();
      const suspect = blame.died();
      if (suspect !== null) store?.pageDied(suspect);
    },
    left: views.disown,
    giveUp,
    bounds,
    log,
  });
  return page;
}

import { join } from 'node:path';
import { ipcMain, protocol } from 'electron';
import type { SnapshotFeed } from '../ipc/push.ts';
import { serveIpc } from '../ipc/serve.ts';
import type { Log } from '../log.ts';
import { mediaHeaders, pageHeaders } from '../sanitize/headers.ts';
import { openPage, type Page } from '../shell/page.ts';
import { servePlayerScheme } from '../shell/scheme.ts';
import type { Content } from './content.ts';
import { createPlaybackLog } from './playback-log.ts';

export interface ScreenParts {
  readonly feed: SnapshotFeed;
  readonly content: Pick<Content, 'locate'>;
  /** Too many restarts of the page. */
  giveUp(): void;
  readonly log: Log;
}

/** Open the page with the only two things it can reach: the `player://` scheme and the checked requests. */
export function openScreen({ feed, content, giveUp, log }: ScreenParts): Page {
  let page: Page | null = null;
  servePlayerScheme(protocol, {
    pageDirectory: join(__dirname, 'renderer'),
    pageHeaders,
    media: (hash) => {
      const media = content.locate(hash);
      return media && { ...media, headers: mediaHeaders(media.format) };
    },
  });
  serveIpc(
    ipcMain,
    {
      'player:snapshot': feed.current,
      'playback:report': createPlaybackLog(log).report,
      'heartbeat:beat': ({ frames }) => {
        page?.beat(frames);
      },
    },
    () => page?.contentsId() ?? null,
    log,
  );
  page = openPage({
    preload: join(__dirname, 'preload.cjs'),
    monotonicMs: () => performance.now(),
    giveUp,
    log,
  });
  return page;
}

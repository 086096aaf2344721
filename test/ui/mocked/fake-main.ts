/**
 * Main's double for the tests of the page: the real Electron, preload, page, sandbox, scheme and policy, but snapshots
 * that a test pushes. Run from the repository root; `dist/test/` holds the built page, `test/fixtures/clips/` the media.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { app, BrowserWindow, ipcMain, protocol } from 'electron';
import type { MediaFormat } from '../../../electron/cache/media.ts';
import type {
  Heartbeat,
  Invokes,
  OperatorView,
  PlaybackReport,
  Pushes,
  Resume,
  Snapshot,
  ViewChange,
} from '../../../electron/ipc/contract.ts';
import { mediaHeaders, pageHeaders } from '../../../electron/sanitize/headers.ts';
import { rewritePlaylist } from '../../../electron/sanitize/hls.ts';
import type { ServedMedia } from '../../../electron/shell/scheme.ts';
import { playerScheme, servePlayerScheme } from '../../../electron/shell/scheme.ts';
import { createStreams, type Streams } from '../../../electron/shell/streams.ts';
import { servedFile } from '../../support/served-file.ts';

/** What tests reach through Playwright's `app.evaluate`. */
export interface FakeMain {
  /** Since the page was loaded. */
  readonly reports: PlaybackReport[];
  readonly beats: Heartbeat[];
  /** What is told of the web pages of items when they are asked for; of others nothing. */
  setPages(pages: Readonly<Record<string, Omit<ViewChange, 'playId'>>>): void;
  /** Tells of the web page of an item what has become of it since it was last asked for. */
  pushPage(itemId: string, change: Omit<ViewChange, 'playId'>): void;
  /** What the page asked about web pages, in order. */
  readonly viewCalls: string[];
  push(snapshot: Snapshot): void;
  pushOperator(view: OperatorView): void;
  /** What was entered in the operator's overlay. */
  readonly pins: string[];
  /** The snapshot that the page gets when it is loaded anew, and what it goes on with. */
  setFirst(snapshot: Snapshot, resume: Resume | null): void;
  resize(width: number, height: number): void;
}

declare global {
  var fakeMain: FakeMain;
}

function handle<Channel extends keyof Invokes>(
  channel: Channel,
  reply: (request: Invokes[Channel]['request']) => Invokes[Channel]['reply'],
) {
  ipcMain.handle(channel, (_event, request: Invokes[Channel]['request']) => reply(request));
}

const starting: Snapshot = {
  state: 'starting',
  screenName: null,
  hostname: 'test',
  playerVersion: '0.0.0',
  keyProtection: 'tpm',
  notice: null,
  look: { language: 'en', theme: 'dark', rotation: 0 },
  sound: { volume: 1, muted: false },
};

const formats: Readonly<Record<string, MediaFormat>> = {
  ...({ '.png': 'png', '.jpg': 'jpeg', '.gif': 'gif', '.webp': 'webp', '.avif': 'avif', '.svg': 'svg' } as const),
  ...({ '.mp4': 'mp4', '.webm': 'webm', '.mp3': 'mp3', '.flac': 'flac' } as const),
};

/** The clips by digest, served as what their names say; one of them lies. */
function readClips(): Map<string, ServedMedia> {
  const folders = ['clips', 'matrix', 'marks'].map((name) => path.resolve('test/fixtures', name));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)));
  return new Map(
    files.flatMap((file) => {
      const bytes = readFileSync(file);
      const format = formats[path.extname(file)];
      if (format === undefined) return [];
      const media = servedFile(file, bytes.length, mediaHeaders(format));
      return [[createHash('sha256').update(bytes).digest('hex'), media]];
    }),
  );
}

/** Media that begin and never go on, under digests that nothing has. */
const hanging: Readonly<Record<string, MediaFormat>> = {
  ...({ ['d'.repeat(64)]: 'mp3', ['e'.repeat(64)]: 'mp4', ['f'.repeat(64)]: 'png' } as const),
};

function hangingMedia(hash: string): ServedMedia | null {
  const format = hanging[hash];
  if (format === undefined) return null;
  const read: ServedMedia['read'] = async function* () {
    await new Promise(() => {});
  };
  return { sizeBytes: 10_000_000, headers: mediaHeaders(format), read };
}

/**
 * The streams of test/fixtures/streams as main serves them, only that no network is between. `hanging` does not answer;
 * every first time that `breaking` is asked for its second part is not there, which is told after a second.
 */
function readStreams(): Streams {
  const folder = path.resolve('test/fixtures/streams');
  let breaks = false;
  return createStreams({
    source: (id) => {
      const name = Buffer.from(id.replace(/(?:00)+$/, ''), 'hex').toString('latin1');
      return { assetId: name, url: `https://streams.test/${name}.m3u8`, headers: {}, allowedOrigins: [] };
    },
    request: async ({ url, headers }) => {
      const asked = path.basename(new URL(url).pathname);
      const name = asked === 'breaking.m3u8' ? 'segments.m3u8' : asked;
      if (asked === 'breaking.m3u8') breaks = !breaks;
      if (name === 'gone-1.mpegts') await wait(1000);
      if (name === 'hanging.m3u8') return new Promise<never>(() => {});
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
      const found = readdirSync(folder).includes(name);
      const whole = found ? readFileSync(path.join(folder, name)) : Buffer.alloc(0);
      const bytes =
        asked === 'breaking.m3u8' && breaks
          ? Buffer.from(whole.toString('utf8').replace('segments-1', 'gone-1'))
          : whole;
      const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
      const status = !found ? 404 : first === undefined ? 200 : 206;
      return { status, location: null, body: Readable.from([part]), destroy: () => undefined };
    },
    rewrite: rewritePlaylist,
    mayAsk: () => true,
    log: { warn: () => undefined },
  });
}

async function start() {
  const clips = readClips();
  servePlayerScheme(protocol, {
    pageDirectory: path.resolve('dist/test/renderer'),
    pageHeaders,
    stream: readStreams().answer,
    media: (hash) => clips.get(hash) ?? hangingMedia(hash),
  });
  const window = new BrowserWindow({
    ...{ x: 0, y: 0, width: 1280, height: 720, frame: false, backgroundColor: '#0a0d14' },
    webPreferences: {
      preload: path.resolve('dist/test/preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      backgroundThrottling: false,
      autoplayPolicy: 'no-user-gesture-required',
    },
  });
  let snapshot = starting;
  let resume: Resume | null = null;
  let pages: Readonly<Record<string, Omit<ViewChange, 'playId'>>> = {};
  const plays = new Map<string, string>();
  const push = <Channel extends keyof Pushes>(channel: Channel, payload: Pushes[Channel]) =>
    window.webContents.send(channel, payload);
  const fakeMain: FakeMain = {
    reports: [],
    beats: [],
    viewCalls: [],
    pins: [],
    pushOperator: (view) => push('operator:changed', view),
    setPages(told) {
      pages = told;
      fakeMain.viewCalls.length = 0;
    },
    pushPage: (itemId, change) => push('view:changed', { playId: plays.get(itemId) ?? '', ...change }),
    push(changed) {
      snapshot = changed;
      push('snapshot:changed', changed);
    },
    setFirst(first, place) {
      snapshot = first;
      resume = place;
    },
    resize: (width, height) => window.setBounds({ x: 0, y: 0, width, height }),
  };
  globalThis.fakeMain = fakeMain;
  window.webContents.on('did-navigate', () => {
    fakeMain.reports.length = 0;
    fakeMain.beats.length = 0;
    fakeMain.pins.length = 0;
  });
  handle('player:snapshot', () => snapshot);
  handle('playback:resume', () => resume);
  handle('playback:report', (report) => void fakeMain.reports.push(report));
  handle('heartbeat:beat', (beat) => void fakeMain.beats.push(beat));
  handle('operator:enter', ({ pin }) => void fakeMain.pins.push(pin));
  handle('view:prepare', ({ itemId, playId }) => {
    fakeMain.viewCalls.push(`prepare ${itemId}`);
    plays.set(itemId, playId);
    const change = pages[itemId];
    if (change !== undefined) push('view:changed', { playId, ...change });
    return undefined;
  });
  handle('view:reveal', () => void fakeMain.viewCalls.push('reveal'));
  handle('view:release', () => void fakeMain.viewCalls.push('release'));
  handle('view:veil', ({ veiled }) => void fakeMain.viewCalls.push(veiled ? 'veil' : 'unveil'));
  await window.loadURL('player://app/index.html');
}

protocol.registerSchemesAsPrivileged([playerScheme]);
app.enableSandbox();
app.whenReady().then(start, (error: unknown) => {
  process.stderr.write(`fake main: ${String(error)}\n`);
  app.exit(1);
});

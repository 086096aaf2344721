/** The page on a display of its own, with the fake main behind it; one start per worker, a fresh page per test. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ElectronApplication, Page } from 'playwright/test';
import { _electron, test as base, expect } from 'playwright/test';
import type {
  Heartbeat,
  OperatorView,
  PlaybackReport,
  ProgramItem,
  Resume,
  Snapshot,
  ViewChange,
} from '../../../electron/ipc/contract.ts';
import type { Display } from './display.ts';
import { startDisplay } from './display.ts';
import type {} from './fake-main.ts';
import type { Observer, Sight } from './observer.ts';
import { observe, sightOf } from './observer.ts';

export const device = {
  screenName: 'Lobby, north door',
  hostname: 'signage-07',
  playerVersion: '0.1.0',
  keyProtection: 'tpm',
  notice: null,
  look: { language: 'en', theme: 'dark', rotation: 0 },
  sound: { volume: 1, muted: false },
} as const satisfies Partial<Snapshot>;

export interface Kiosk {
  readonly page: Page;
  readonly display: Display;
  /** Errors, warnings and policy violations that the page has written to its console. */
  readonly complaints: string[];
  /** Hands the page a new snapshot, as main does. */
  push(snapshot: Snapshot): Promise<void>;
  /** Opens, changes or closes the operator's overlay, as main does. */
  pushOperator(view: OperatorView): Promise<void>;
  /** PINs that the page has sent. */
  pins(): Promise<readonly string[]>;
  /** Loads the page anew with `snapshot` as its first one; what was reported before is forgotten. */
  restart(snapshot: Snapshot, resume?: Resume): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  reports(): Promise<readonly PlaybackReport[]>;
  beats(): Promise<readonly Heartbeat[]>;
  /** Says what main is to tell of the web pages of items; forgets what was asked about others. */
  pages(pages: Readonly<Record<string, Omit<ViewChange, 'playId'>>>): Promise<void>;
  /** Tells of the web page of an item what has become of it, as main does. */
  pushPage(itemId: string, change: Omit<ViewChange, 'playId'>): Promise<void>;
  /** What the page has asked about web pages since then. */
  viewCalls(): Promise<readonly string[]>;
  /** Waits until the reports contain these, in this order, possibly with others between them. */
  reported(...wanted: readonly string[]): Promise<void>;
  /** Waits until all of the page shows one colour: the very first picture comes piece by piece over the screen before it. */
  painted(colour: Sight): Promise<void>;
  /**
   * Counts the page's frames from now on; what is resolved tells how many milliseconds between two instants (since the
   * epoch) passed without the frames that were due, because the machine was busy.
   */
  lostTime(): Promise<(from: number, until: number) => Promise<number>>;
  screenshot(name: string): Promise<void>;
  /** Watches corners and centre of the page until it is stopped or the test ends. */
  observe(): Observer;
}

/** `failed b decode` for a report, so that a list of them reads as a story. */
export const told = ({ outcome, itemId, reason }: PlaybackReport) =>
  [outcome, itemId, reason].filter(Boolean).join(' ');

function inOrder(story: readonly string[], wanted: readonly string[]): boolean {
  let at = 0;
  for (const line of story) if (line === wanted[at]) at += 1;
  return at === wanted.length;
}

async function launch(display: Display, home: string): Promise<ElectronApplication> {
  return _electron.launch({
    executablePath: path.resolve(process.env['SIGNET_ELECTRON'] ?? '.runtime/electron/electron'),
    chromiumSandbox: true,
    args: [path.resolve('dist/test/fake-main.cjs'), `--user-data-dir=${home}`],
    cwd: process.cwd(),
    env: { ...(process.env as Record<string, string>), DISPLAY: display.name, HOME: home, XDG_RUNTIME_DIR: home },
  });
}

/** Points of the page at its test size, away from the edges. */
const lookouts = [
  [40, 40],
  [640, 360],
  [1240, 680],
] as const;

async function openKiosk(app: ElectronApplication, display: Display, observers: Observer[]): Promise<Kiosk> {
  const page = await app.firstWindow();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  const reports = () => app.evaluate(() => globalThis.fakeMain.reports);
  const folder = path.resolve('test-results/screens');
  await mkdir(folder, { recursive: true });
  return {
    page,
    display,
    complaints,
    reports,
    push: (snapshot) => app.evaluate((_electron, pushed) => globalThis.fakeMain.push(pushed), snapshot),
    pushOperator: (view) => app.evaluate((_electron, pushed) => globalThis.fakeMain.pushOperator(pushed), view),
    pins: () => app.evaluate(() => globalThis.fakeMain.pins),
    async restart(snapshot, resume) {
      const given = [snapshot, resume ?? null] as [Snapshot, Resume | null];
      await app.evaluate((_electron, first) => globalThis.fakeMain.setFirst(...first), given);
      await page.reload();
    },
    async resize(width, height) {
      await app.evaluate((_electron, size) => globalThis.fakeMain.resize(...size), [width, height] as [number, number]);
      await page.waitForFunction(([w, h]) => innerWidth === w && innerHeight === h, [width, height] as const);
    },
    beats: () => app.evaluate(() => globalThis.fakeMain.beats),
    pages: (pages) => app.evaluate((_electron, told) => globalThis.fakeMain.setPages(told), pages),
    pushPage: (itemId, change) =>
      app.evaluate((_electron, told) => globalThis.fakeMain.pushPage(...told), [itemId, change] as [
        string,
        Omit<ViewChange, 'playId'>,
      ]),
    viewCalls: () => app.evaluate(() => globalThis.fakeMain.viewCalls),
    async reported(...wanted) {
      const story = async () => (await reports()).map(told);
      // Often: what a test does next is to come while the last of them is on the display, which may be a second.
      const looking = { message: wanted.join(', '), timeout: 40_000, intervals: [100] };
      await expect.poll(async () => inOrder(await story(), wanted), looking).toBe(true);
    },
    async painted(colour) {
      const seen = () => lookouts.map(([x, y]) => sightOf(display.pixel(x, y)));
      await expect.poll(seen, { intervals: [20] }).toEqual(lookouts.map(() => colour));
    },
    observe() {
      const observer = observe(display, lookouts);
      observers.push(observer);
      return observer;
    },
    async lostTime() {
      const frames = await page.evaluateHandle(() => {
        const times: number[] = [];
        const count = (nowMs: number) => {
          times.push(performance.timeOrigin + nowMs);
          requestAnimationFrame(count);
        };
        requestAnimationFrame(count);
        return times;
      });
      return async (from, until) => {
        const times = (await frames.jsonValue()).filter((time) => time >= from && time <= until);
        const gaps = times.map((time, at) => time - (times[at - 1] ?? from));
        return gaps.reduce((lost, gap) => lost + (gap > 50 ? gap : 0), 0);
      };
    },
    screenshot: async (name) => void (await page.screenshot({ path: path.join(folder, `${name}.png`) })),
  };
}

export const test = base.extend<{ kiosk: Kiosk }, { opened: { kiosk: Kiosk; observers: Observer[] } }>({
  opened: [
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the names of the fixtures from the pattern
    async ({}, use) => {
      const home = await mkdtemp(path.join(os.tmpdir(), 'signet-page-'));
      const display = await startDisplay(1920, 1920);
      const app = await launch(display, home);
      const observers: Observer[] = [];
      await use({ kiosk: await openKiosk(app, display, observers), observers });
      await app.close();
      await display.stop();
      // Chromium's other processes end a moment after the first one, and may still write.
      await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
    { scope: 'worker' },
  ],
  kiosk: async ({ opened }, use) => {
    const { kiosk, observers } = opened;
    await kiosk.resize(1280, 720);
    await kiosk.restart({ ...device, state: 'starting' });
    kiosk.complaints.length = 0;
    await use(kiosk);
    for (const observer of observers.splice(0)) observer.stop();
  },
});

/** Address of a clip, as main would name it: by its digest. `matrix/…` and `marks/…` are those of test/fixtures. */
export async function clip(name: string): Promise<string> {
  const bytes = await readFile(path.resolve('test/fixtures', name.includes('/') ? name : `clips/${name}`));
  return `player://media/${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An item that shows a clip for a second, or otherwise as said. */
export async function item(itemId: string, file: string, changes: Partial<ProgramItem> = {}): Promise<ProgramItem> {
  const kind = /\.(mp4|webm)$/.test(file) ? 'video' : /\.(mp3|flac)$/.test(file) ? 'audio' : 'image';
  const defaults = { title: file, durationSeconds: 1, fit: 'cover', transition: 'cut' } as const;
  return { itemId, kind, source: await clip(file), ...defaults, ...changes };
}

/** An item that shows a stream of test/fixtures/streams for a while, or otherwise as said. */
export function streamItem(itemId: string, name: string, changes: Partial<ProgramItem> = {}): ProgramItem {
  const id = Buffer.from(name).toString('hex').padEnd(32, '0');
  const defaults = { title: name, durationSeconds: 2, fit: 'cover', transition: 'cut' } as const;
  return { itemId, kind: 'stream', source: `player://stream/${id}/0`, ...defaults, ...changes };
}

/** The snapshot that plays these items. */
export function playing(programId: string, items: readonly ProgramItem[]): Snapshot {
  return { ...device, state: 'playing', program: { programId, items } };
}

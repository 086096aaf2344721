import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { type Backend, startBackend } from '../backend/backend.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { type Application, claimAll, playerWords, startElectron } from './bench-player.ts';
import { clipFrames, itemsOf, picture, readClip } from './mark-media.ts';
import { processesOf } from './processes.ts';
import { openEye } from './recorder.ts';
import { quantile, rounded } from './sample.ts';

/** What build/bench.mjs provides. */
export interface RecoveryBenchOptions {
  /** The Electron executable, absolute. */
  readonly electron: string;
  /** A virtual display of 1280×720 without a window manager. */
  readonly display: { readonly display: string; readonly framebuffer: string };
  /** Crashes, 30 where absent; a quarter as many hangs, and a third as many losses of the GPU process. */
  readonly runs?: number;
  /** One line of progress. */
  narrate(text: string): void;
}

const items = [1, 2, 3];
const itemSeconds = 12;
/** Between two faults: at most three a minute, after which the window is made anew instead of the page. */
const pauseMs = 20_000;
const withinMs = 30_000;
/** How long a clip is watched after the GPU process was lost. */
const watchedMs = 4_000;

type Fault = 'crash' | 'hang';
type Look = ReturnType<typeof openEye>['look'];

/** The GPU process was lost while a clip played. */
interface GraphicsLoss {
  /** The longest time without a new frame of the clip on the display. */
  readonly stillMs: number;
  /** How long the display was empty: the window in which the lost process drew is gone with it. */
  readonly emptyMs: number;
}

interface Recovery {
  readonly fault: Fault;
  /** How the page was brought back. */
  readonly by: string;
  /** From the fault to the right item's picture on the display, reported by the page that came back. */
  readonly ms: number;
  /** From the end of the page's process on. */
  readonly fromGoneMs: number;
  readonly rightItem: boolean;
}

/**
 * The page's process is killed, or stopped, at some instant while the real player shows pictures: how long until the
 * picture of the item that was on the display is there again. The display may hold the old picture all the time, so what
 * counts is the first look at the right picture after the new page has said that it shows it. Then the GPU process is
 * killed while a clip plays: how long the clip stands still.
 */
export async function recoveryBench(options: RecoveryBenchOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'signet-recovery-'));
  const tpm = await startSwtpm();
  const backend = await startBackend({ stateDirectory: join(folder, 'server'), pollIntervalSeconds: 0.2 });
  programme(
    backend,
    items.map((item) => ({ type: 'image', name: `image-${item}`, bytes: picture(item), duration: itemSeconds })),
  );
  const player = startElectron(
    options.electron,
    options.display.display,
    playerWords(folder, backend, tpm.tcti, { log: { level: 'info' } }),
  );
  claimAll(player, backend);
  const eye = openEye(options.display.framebuffer);
  const recoveries: Recovery[] = [];
  try {
    const story = listen(player);
    await story.next('item-shown');
    const crashes = options.runs ?? 30;
    const faults: Fault[] = Array.from({ length: crashes + Math.ceil(crashes / 4) }, (_, at) =>
      at % 5 === 4 ? 'hang' : 'crash',
    );
    for (const [at, fault] of faults.entries()) {
      // At some instant of some item, though not so near its end that the next one would be the right one.
      await after(pauseMs);
      if (story.sinceShownMs() > itemSeconds * 1000 - 3_500) await story.next('item-shown');
      await after(400 + Math.random() * 1_000);
      recoveries.push(await recovered(fault, player, story, eye.look));
      if (at % 5 === 4) options.narrate(`${at + 1} of ${faults.length}`);
    }
    const [clip] = itemsOf.video;
    programme(backend, [{ type: 'video', name: 'clip', bytes: readClip(clip), duration: clipFrames / 30 }]);
    const losses: GraphicsLoss[] = [];
    while (losses.length < Math.ceil(crashes / 3)) {
      await untilItem(eye.look, clip);
      await after(1_000 + Math.random() * 1_000);
      losses.push(await graphicsLost(player, story, eye.look, clip));
    }
    options.narrate(`${losses.length} losses of the GPU process`);
    return report(recoveries, losses);
  } finally {
    eye.close();
    await player.stop();
    await backend.close();
    await tpm.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Medium = {
  readonly type: 'image' | 'video';
  readonly name: string;
  readonly bytes: Buffer;
  /** Seconds. */
  readonly duration: number;
};

function programme(backend: Backend, media: readonly Medium[]): void {
  const entries = media.map(({ type, name, bytes, duration }, position) => {
    const { sha256, md5, sizeBytes: size } = backend.addMedia(name, bytes);
    const asset = { id: name, type, title: name, status: 'finished', sha256, md5, size };
    return {
      ...{ id: String(position + 1), position, duration },
      asset: { ...asset, asset_url: `${backend.origin}/media/${sha256}` },
    };
  });
  const shared = { title: 'p', predicate: 'TRUE', priority: false, is_enabled: true, transitions: false };
  backend.setPlaylist({ playlists: [{ id: 'p', ...shared, items: entries }] });
}

async function untilItem(look: Look, item: number): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const sight = look();
    if (typeof sight !== 'string' && sight.item === item) return;
    if (performance.now() > end) throw new Error(`item ${item} did not come onto the display`);
    await after(5);
  }
}

/** The GPU process is killed while a clip is shown: how long the display stands still. */
async function graphicsLost(
  player: Application,
  story: ReturnType<typeof listen>,
  look: Look,
  clip: number,
): Promise<GraphicsLoss> {
  const [graphics] = processesOf(player.pid).filter(({ kind }) => kind === 'gpu-process');
  if (graphics === undefined) throw new Error('there is no GPU process');
  const from = story.lines.length;
  const end = performance.now() + watchedMs;
  let changedMs = performance.now();
  let lookedMs = changedMs;
  let [frame, stillMs, emptyMs] = [-1, 0, 0];
  process.kill(graphics.pid, 'SIGKILL');
  while (performance.now() < end) {
    const sight = look();
    const nowMs = performance.now();
    if (sight === 'black') emptyMs += nowMs - lookedMs;
    lookedMs = nowMs;
    if (typeof sight !== 'string' && sight.item === clip && sight.frame !== frame) {
      if (frame >= 0) stillMs = Math.max(stillMs, nowMs - changedMs);
      frame = sight.frame;
      changedMs = nowMs;
    }
    await after(1);
  }
  await story.next('graphics-lost', from);
  return { stillMs: Math.max(stillMs, performance.now() - changedMs), emptyMs };
}

interface Line {
  readonly event: string;
  readonly atMs: number;
  readonly [field: string]: unknown;
}

/** The player's log as it is written. */
function listen(player: Application) {
  const lines: Line[] = [];
  let shown: Line = { event: '', atMs: 0 };
  player.onLine((line) => {
    const read = { ...line, atMs: performance.now() };
    lines.push(read);
    if (line.event === 'item-shown') shown = read;
  });
  return {
    lines,
    shownItem: () => Number(shown['itemId']),
    sinceShownMs: () => performance.now() - shown.atMs,
    async next(event: string, from = lines.length): Promise<Line> {
      const end = performance.now() + withinMs;
      for (;;) {
        const found = lines.slice(from).find((line) => line.event === event);
        if (found !== undefined) return found;
        if (performance.now() > end) throw new Error(`the player did not say ${event}`);
        await after(1);
      }
    },
  };
}

async function recovered(
  fault: Fault,
  player: Application,
  story: ReturnType<typeof listen>,
  look: Look,
): Promise<Recovery> {
  const item = story.shownItem();
  const from = story.lines.length;
  const [renderer] = processesOf(player.pid).filter(({ kind }) => kind === 'renderer');
  if (renderer === undefined) throw new Error('the page has no process');
  const atMs = performance.now();
  process.kill(renderer.pid, fault === 'crash' ? 'SIGKILL' : 'SIGSTOP');
  const gone = await story.next('page-gone', from);
  const shown = await story.next('item-shown', story.lines.indexOf(gone));
  const shownItem = Number(shown['itemId']);
  for (;;) {
    const sight = look();
    if (typeof sight !== 'string' && sight.item === shownItem) break;
    await after(1);
  }
  const nowMs = performance.now();
  const by = story.lines.slice(from).findLast(({ event }) => event === 'page-recovery');
  return {
    ...{ fault, by: String(by?.['outcome']), ms: nowMs - atMs, fromGoneMs: nowMs - gone.atMs },
    rightItem: shownItem === item,
  };
}

function report(recoveries: readonly Recovery[], losses: readonly GraphicsLoss[]) {
  const kinds = [...new Set(recoveries.map(({ fault, by }) => `${fault}, ${by}`))].sort();
  const rows = kinds.map((kind) => {
    const of = recoveries.filter(({ fault, by }) => `${fault}, ${by}` === kind);
    return {
      fault: kind,
      count: of.length,
      ...spread(
        '',
        of.map(({ ms }) => ms),
      ),
      ...spread(
        'from_gone_',
        of.map(({ fromGoneMs }) => fromGoneMs),
      ),
      wrong_items: of.filter(({ rightItem }) => !rightItem).length,
    };
  });
  const still = (share: number) =>
    rounded(
      quantile(
        losses.map(({ stillMs }) => stillMs),
        share,
      ),
    );
  const all = (fault: Fault) => recoveries.filter((one) => one.fault === fault);
  const ms = (fault: Fault, share: number) =>
    rounded(
      quantile(
        all(fault).map((one) => one.ms),
        share,
      ),
    );
  return {
    rows,
    ratios: {},
    values: {
      crashes: all('crash').length,
      crash_p50_ms: ms('crash', 0.5),
      crash_p95_ms: ms('crash', 0.95),
      crash_max_ms: ms('crash', 1),
      hangs: all('hang').length,
      hang_p95_ms: ms('hang', 0.95),
      hang_max_ms: ms('hang', 1),
      wrong_items: recoveries.filter(({ rightItem }) => !rightItem).length,
      graphics_losses: losses.length,
      graphics_still_p50_ms: still(0.5),
      graphics_still_p95_ms: still(0.95),
      graphics_still_max_ms: still(1),
      graphics_empty_max_ms: rounded(Math.max(...losses.map(({ emptyMs }) => emptyMs))),
    },
  };
}

const spread = (prefix: string, values: readonly number[]) => ({
  [`${prefix}p50_ms`]: rounded(quantile(values, 0.5)),
  [`${prefix}p95_ms`]: rounded(quantile(values, 0.95)),
  [`${prefix}max_ms`]: rounded(Math.max(...values)),
});

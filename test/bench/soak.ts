import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { startBackend } from '../backend/backend.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { type Application, claimAll, playerWords, startElectron } from './bench-player.ts';
import { picture, readClip } from './mark-media.ts';
import { isPlain, openPixelProbe } from './pixel-probe.ts';
import { processesOf, tryRead } from './processes.ts';
import { quantile, rounded } from './sample.ts';
import { serveMarks } from './served-marks.ts';

/** What build/bench.mjs provides. */
export interface SoakBenchOptions {
  /** The Electron executable, absolute. */
  readonly electron: string;
  /** A virtual display of 1280×720 without a window manager. */
  readonly display: { readonly display: string; readonly framebuffer: string };
  /** How long, 30 where absent. */
  readonly minutes?: number;
  /** One line of progress. */
  narrate(text: string): void;
}

/** One look at the memory: MiB of each kind of process (PSS: shared pages are divided among those that share them). */
interface Weighing {
  readonly atMs: number;
  readonly byKind: Readonly<Record<string, number>>;
}

const weighEveryMs = 5_000;
/** What caches and pools take at first is no growth: this share of the time is not part of the slope. */
const warmShare = 0.25;

/** A mixed program at high speed: pictures, clips, web pages and streams, cuts, fades and slides. */
function program(backend: Awaited<ReturnType<typeof startBackend>>, marks: string) {
  const files = [
    ...[1, 2, 3, 4].map((item) => ({ name: `picture-${item}.png`, type: 'image', seconds: 0.8, bytes: picture(item) })),
    ...['welcome.jpg', 'strata.jpg', 'meridian.jpg', 'wayfinding.jpg'].map((name) => ({
      ...{ name, type: 'image', seconds: 1 },
      bytes: readFileSync(join('test/fixtures/media', name)),
    })),
    ...['tide.mp4', 'orbit.webm'].map((name) => ({
      ...{ name, type: 'video', seconds: 1.5 },
      bytes: readFileSync(join('test/fixtures/media', name)),
    })),
    { name: 'video-5.mp4', type: 'video', seconds: 1.2, bytes: readClip(5) },
    { name: 'video-6.mp4', type: 'video', seconds: 1.2, bytes: readClip(6) },
    ...['9', '10'].map((name) => ({ name, type: 'web', seconds: 1.2, bytes: null })),
    ...['stream-7.m3u8', 'stream-8.m3u8'].map((name) => ({ name, type: 'streaming', seconds: 1.8, bytes: null })),
  ];
  // Kinds by turns, so that each follows on each.
  const order = [0, 8, 12, 4, 10, 14, 11, 1, 13, 15, 5, 9, 14, 2, 8, 12, 10, 6, 3, 15, 11, 7];
  const playlists = (['cut', 'fade', 'slide'] as const).map((transitions, part) => ({
    ...{ id: transitions, title: transitions, predicate: 'TRUE', priority: false, is_enabled: true, transitions },
    items: order.map((at, position) => {
      const file = files[(at + part) % files.length] as (typeof files)[number];
      const place = { id: `${transitions}-${position}`, position, duration: file.seconds };
      const base = { id: file.name, type: file.type, title: file.name, status: 'finished' };
      if (file.bytes === null) return { ...place, asset: { ...base, asset_url: `${marks}/${file.name}` } };
      const media = backend.addMedia(file.name, file.bytes);
      const { sha256, md5, sizeBytes: size } = media;
      return { ...place, asset: { ...base, asset_url: `${backend.origin}/media/${sha256}`, sha256, md5, size } };
    }),
  }));
  backend.setPlaylist({ playlists });
}

function weigh(root: number, atMs: number): Weighing {
  const byKind: Record<string, number> = {};
  for (const { pid, kind } of processesOf(root)) {
    const kilobytes = Number(/^Pss:\s+(\d+) kB$/m.exec(tryRead(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
    byKind[kind] = (byKind[kind] ?? 0) + kilobytes / 1024;
  }
  return { atMs, byKind: { ...byKind, all: Object.values(byKind).reduce((sum, one) => sum + one, 0) } };
}

/** What a player's log says while it plays. */
function follow(player: Application, narrate: (text: string) => void) {
  const counts = { shown: 0, failed: 0, deaths: 0, recycled: 0 };
  player.onLine(({ event, itemId, reason }) => {
    if (event === 'item-failed' || event === 'item-skipped') narrate(`${event} ${itemId} ${reason}`);
    if (event === 'item-shown') counts.shown += 1;
    else if (event === 'item-failed' || event === 'item-skipped') counts.failed += 1;
    else if (event === 'page-gone' || event === 'graphics-lost') counts.deaths += 1;
    else if (event === 'page-recycled') counts.recycled += 1;
  });
  return counts;
}

/** Looks at the display now and then: a screen that stands still or is empty has failed, whatever the log says. */
function watchDisplay(framebuffer: string) {
  // Closer than the bars of the marks are wide: between two that slide, black ones alone would stand under ten columns.
  const probe = openPixelProbe(framebuffer, { columns: 36, rows: 3 });
  let [looks, empty] = [0, 0];
  const timer = setInterval(() => {
    looks += 1;
    if (isPlain(probe.read())) empty += 1;
  }, 20);
  return {
    counts: () => ({ looks, empty }),
    stop: () => {
      clearInterval(timer);
      probe.close();
    },
  };
}

/** The real player plays a mixed program for a long time: memory of each kind of process over time, and its slope. */
export async function soakBench(options: SoakBenchOptions) {
  const minutes = options.minutes ?? 30;
  const folder = mkdtempSync(join(tmpdir(), 'signet-soak-'));
  const tpm = await startSwtpm();
  const backend = await startBackend({ stateDirectory: join(folder, 'server'), pollIntervalSeconds: 0.2 });
  const marks = await serveMarks();
  program(backend, marks.origin);
  const words = playerWords(folder, backend, tpm.tcti, {
    log: { level: 'info' },
    network: { allowHttpFor: [marks.origin], allowPrivatePages: [marks.origin] },
  });
  const player = startElectron(options.electron, options.display.display, words);
  claimAll(player, backend);
  const counts = follow(player, options.narrate);
  try {
    const end = performance.now() + 60_000;
    while (counts.shown < 5) {
      if (performance.now() > end) throw new Error('the player shows nothing');
      await after(100);
    }
    Object.assign(counts, { shown: 0, failed: 0, deaths: 0 });
    const display = watchDisplay(options.display.framebuffer);
    const weighings: Weighing[] = [];
    const startMs = performance.now();
    let toldMinute = 0;
    while (performance.now() - startMs < minutes * 60_000) {
      await after(weighEveryMs);
      const now = weigh(player.pid, performance.now() - startMs);
      weighings.push(now);
      const minute = Math.floor(now.atMs / 60_000);
      if (minute > toldMinute) {
        toldMinute = minute;
        options.narrate(`${minute} min, ${counts.shown} transitions, ${Math.round(now.byKind['all'] ?? 0)} MiB`);
      }
    }
    display.stop();
    return report(minutes, weighings, counts, display.counts());
  } finally {
    await player.stop();
    await backend.close();
    marks.close();
    await tpm.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(
  minutes: number,
  weighings: readonly Weighing[],
  counts: ReturnType<typeof follow>,
  display: { readonly looks: number; readonly empty: number },
) {
  const settled = weighings.filter(({ atMs }) => atMs >= minutes * 60_000 * warmShare);
  const kinds = [...new Set(weighings.flatMap(({ byKind }) => Object.keys(byKind)))];
  const rows = kinds.map((kind) => {
    const of = (list: readonly Weighing[]) => list.map(({ byKind }) => byKind[kind] ?? 0);
    const sizes = of(settled);
    const part = Math.max(1, Math.floor(sizes.length / 10));
    return {
      process: kind,
      first_mib: rounded(of(weighings)[0] ?? 0),
      median_mib: rounded(quantile(sizes, 0.5)),
      max_mib: rounded(Math.max(...sizes)),
      // Means of the first and last tenth: what a slope through noise cannot hide.
      begin_mib: rounded(mean(sizes.slice(0, part))),
      end_mib: rounded(mean(sizes.slice(-part))),
      slope_mib_per_hour: rounded(slopePerHour(settled, sizes)),
    };
  });
  const all = rows.find(({ process }) => process === 'all');
  return {
    rows,
    ratios: { end_vs_begin: rounded((all?.end_mib ?? 0) / (all?.begin_mib ?? 1)) },
    values: {
      minutes,
      transitions: counts.shown,
      items_failed: counts.failed,
      deaths: counts.deaths,
      recycled: counts.recycled,
      looks: display.looks,
      empty_looks: display.empty,
      pss_max_mib: all?.max_mib ?? 0,
      slope_mib_per_hour: all?.slope_mib_per_hour ?? 0,
    },
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Least squares through the weighings. */
function slopePerHour(weighings: readonly Weighing[], sizes: readonly number[]): number {
  const [middle, average] = [mean(weighings.map(({ atMs }) => atMs)), mean(sizes)];
  let [along, square] = [0, 0];
  for (const [at, { atMs }] of weighings.entries()) {
    along += (atMs - middle) * ((sizes[at] ?? average) - average);
    square += (atMs - middle) ** 2;
  }
  return square === 0 ? 0 : (along / square) * 3_600_000;
}

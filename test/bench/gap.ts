import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { type Backend, startBackend } from '../backend/backend.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { claimAll, playerWords, startElectron } from './bench-player.ts';
import { driftOf, frameMs, frameTimes, judge, type Passage, passesOf } from './gap-judge.ts';
import {
  clipFile,
  clipFrames,
  itemsInRound,
  itemsOf,
  type Kind,
  kinds,
  moving,
  picture,
  readClip,
  roundOf,
} from './mark-media.ts';
import { type Change, type Recorder, startRecorder } from './recorder.ts';
import { quantile, rounded } from './sample.ts';
import { serveMarks } from './served-marks.ts';

/** What build/bench.mjs provides. */
export interface GapBenchOptions {
  /** The Electron executable, absolute. */
  readonly electron: string;
  /** A virtual display of 1280×720 without a window manager. */
  readonly display: { readonly display: string; readonly framebuffer: string };
  /** Rounds through all pairs, 20 where absent; each brings fifty items of the drift, 1,000 at most. */
  readonly runs?: number;
  /** One line of progress. */
  narrate(text: string): void;
}

export interface GapRow {
  readonly pair: string;
  readonly transitions: number;
  readonly black_frames: number;
  readonly wrong_frames: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** At 60 Hz. */
  readonly p50_frames: number;
  readonly p99_frames: number;
  readonly p99_frames_beyond_bare: number;
}

/** Seconds of an item while pairs are measured: a page or a stream is prepared in less. */
const pairSeconds = 2;
const driftSeconds = 0.3;
const driftItems = [1, 2, 3, 4];
const withinMs = 60_000;

/**
 * What the display shows, read about 1,000 times a second, while every kind of item takes the place of every kind in
 * the real player; against one `<img>` and one `<video>` in a page of the same Electron.
 */
export async function gapBench(options: GapBenchOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'signet-gap-'));
  const recorder = startRecorder(options.display.framebuffer);
  const tpm = await startSwtpm();
  try {
    const bare = await measureBare(options, recorder, folder);
    const player = await measurePlayer(options, recorder, folder, tpm.tcti);
    return report(bare, player);
  } finally {
    await tpm.stop();
    await recorder.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is recorded from now on for a while. */
async function recordFor(recorder: Recorder, ms: number): Promise<Change[]> {
  await recorder.take();
  const changes: Change[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    await after(Math.min(1000, Math.max(0, end - performance.now())));
    changes.push(...(await recorder.take()));
  }
  return changes;
}

/** Waits until an item is on the display. */
async function untilShown(recorder: Recorder, items: readonly number[]): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const last = (await recorder.take()).at(-1)?.sight;
    if (last !== undefined && typeof last !== 'string' && items.includes(last.item)) return;
    if (performance.now() > end) throw new Error(`item ${items.join(' or ')} did not come onto the display`);
    await after(20);
  }
}

async function measureBare({ electron, display, narrate }: GapBenchOptions, recorder: Recorder, folder: string) {
  const pictures = driftItems.slice(0, 2).map((item) => join(folder, `${item}.png`));
  for (const [at, file] of pictures.entries()) writeFileSync(file, picture(driftItems[at] as number));
  const run = async (files: readonly string[], first: number, ms: number) => {
    const application = startElectron(electron, display.display, [
      resolve('test/bench/bare/main.cjs'),
      join(folder, 'bare'),
      ...files,
    ]);
    try {
      await untilShown(recorder, [first]);
      return await recordFor(recorder, ms);
    } finally {
      await application.stop();
    }
  };
  narrate('one bare <img>');
  const images = await run(pictures, 1, 20_000);
  const changing = judge(images, [1, 2], new Set(), images.at(-1)?.atMs ?? 0).passages.map(({ gapMs }) => gapMs);
  narrate('one bare <video>');
  const [clip] = itemsOf.video;
  const video = await run([clipFile(clip)], clip, ((3 * clipFrames) / 30) * 1000);
  return { still: changing, moving: frameTimes(video, clip), passes: passesOf(video, clip, clipFrames) };
}

function programme(
  backend: Backend,
  pages: string,
  entries: readonly { readonly item: number; readonly seconds: number | null }[],
) {
  const items = entries.map(({ item, seconds }, at) => {
    const kind = kinds.find((name) => itemsOf[name].includes(item)) ?? 'image';
    const place = { id: `place-${at}`, position: at, ...(seconds === null ? {} : { duration: seconds }) };
    const name = kind === 'video' ? `video-${item}.mp4` : `${kind}-${item}`;
    if (kind === 'page' || kind === 'stream') {
      const address =
        kind === 'page'
          ? { type: 'web', asset_url: `${pages}/${item}` }
          : { type: 'streaming', asset_url: `${pages}/${name}.m3u8` };
      return { ...place, asset: { id: name, title: name, status: 'finished', ...address } };
    }
    const media = backend.addMedia(name, kind === 'video' ? readClip(item) : picture(item));
    return {
      ...place,
      asset: {
        id: name,
        type: kind,
        title: name,
        asset_url: `${backend.origin}/media/${media.sha256}`,
        sha256: media.sha256,
        md5: media.md5,
        size: media.sizeBytes,
        status: 'finished',
      },
    };
  });
  backend.setPlaylist({
    playlists: [
      { id: 'gap', title: 'gap', predicate: 'TRUE', priority: false, is_enabled: true, transitions: 'cut', items },
    ],
  });
}

async function measurePlayer(options: GapBenchOptions, recorder: Recorder, folder: string, tcti: string) {
  const runs = options.runs ?? 20;
  const backend = await startBackend({ stateDirectory: join(folder, 'server'), pollIntervalSeconds: 0.2 });
  const round = itemsInRound(roundOf(kinds));
  const pages = await serveMarks();
  programme(
    backend,
    pages.origin,
    round.map((item) => ({ item, seconds: pairSeconds })),
  );
  const player = startElectron(
    options.electron,
    options.display.display,
    playerWords(folder, backend, tcti, {
      network: { allowHttpFor: [pages.origin], allowPrivatePages: [pages.origin] },
    }),
  );
  claimAll(player, backend);
  let failed = 0;
  player.onLine(({ event, itemId, reason }) => {
    if (event !== 'item-failed' && event !== 'item-skipped') return;
    failed += 1;
    options.narrate(`${event} ${itemId} ${reason}`);
  });
  try {
    await untilShown(recorder, round);
    // A round to fill caches, then those that count.
    await after(round.length * pairSeconds * 1000);
    options.narrate(`${runs} rounds of ${round.length} pairs`);
    const pairs = await recordFor(recorder, runs * round.length * pairSeconds * 1000);
    const failedWithin = failed;
    const count = Math.min(1000, runs * 50);
    options.narrate(`drift over ${count} items`);
    programme(
      backend,
      pages.origin,
      driftItems.map((item) => ({ item, seconds: driftSeconds })),
    );
    await untilShown(recorder, driftItems.slice(2));
    await after(3000);
    const drift = await recordFor(recorder, (count + 1) * driftSeconds * 1000);
    options.narrate('a clip alone, over and over');
    const [clip] = itemsOf.video;
    programme(backend, pages.origin, [{ item: clip, seconds: null }]);
    await untilShown(recorder, [clip]);
    const alone = await recordFor(recorder, ((3 * clipFrames) / 30 + 4) * 1000);
    return { round, pairs, failed: failedWithin, drift, passes: passesOf(alone, clip, clipFrames) };
  } finally {
    await player.stop();
    await backend.close();
    pages.close();
  }
}

const kindOf = (item: number): Kind => kinds.find((kind) => itemsOf[kind].includes(item)) ?? 'image';

function report(bare: Awaited<ReturnType<typeof measureBare>>, player: Awaited<ReturnType<typeof measurePlayer>>) {
  const judgement = judge(player.pairs, player.round, moving, player.pairs.at(-1)?.atMs ?? 0);
  const bareP99 = { still: quantile(bare.still, 0.99), moving: quantile(bare.moving, 0.99) };
  const rows = kinds.flatMap((from) => kinds.map((to) => rowOf(from, to, judgement.passages, bareP99)));
  const drift = judge(player.drift, driftItems, new Set(), 0);
  const { maxMs, per1000Ms } = driftOf(
    drift.passages.map(({ atMs }) => atMs),
    driftSeconds * 1000,
  );
  const ofAllKinds = driftOf(
    judgement.passages.map(({ atMs }) => atMs),
    pairSeconds * 1000,
  );
  const total = (key: 'black_frames' | 'wrong_frames') => rows.reduce((sum, row) => sum + row[key], 0);
  const shown = (passes: readonly { readonly shown: number }[]) =>
    quantile(
      passes.map((pass) => pass.shown),
      0.5,
    );
  return {
    rows,
    ratios: { video_frames_bare_vs_player: rounded(shown(bare.passes) / shown(player.passes)) },
    values: {
      black_frames_total: total('black_frames') + judgement.blackWithin,
      wrong_frames_total: total('wrong_frames') + judgement.wrongWithin,
      p99_frames_beyond_bare_max: Math.max(...rows.map((row) => row.p99_frames_beyond_bare)),
      items_failed: player.failed,
      bare_img_p99_ms: rounded(bareP99.still),
      bare_video_p99_ms: rounded(bareP99.moving),
      drift_items: drift.passages.length,
      drift_max_ms: rounded(maxMs),
      drift_per_1000_items_ms: rounded(per1000Ms),
      drift_of_all_kinds_items: judgement.passages.length,
      drift_of_all_kinds_max_ms: rounded(ofAllKinds.maxMs),
      drift_of_all_kinds_per_1000_items_ms: rounded(ofAllKinds.per1000Ms),
      video_frames_of_600: shown(player.passes),
      video_frames_of_600_bare: shown(bare.passes),
      loop_max_ms: rounded(Math.max(...player.passes.map(({ loopMs }) => loopMs))),
      loop_max_ms_bare: rounded(Math.max(...bare.passes.map(({ loopMs }) => loopMs))),
    },
  };
}

function rowOf(
  from: Kind,
  to: Kind,
  passages: readonly Passage[],
  bareP99: { readonly still: number; readonly moving: number },
): GapRow {
  const these = passages.filter((passage) => kindOf(passage.from) === from && kindOf(passage.to) === to);
  const gaps = these.map(({ gapMs }) => gapMs);
  const p99 = quantile(gaps, 0.99);
  const bare = moving.has(itemsOf[from][0]) ? bareP99.moving : bareP99.still;
  return {
    pair: `${from} → ${to}`,
    transitions: these.length,
    black_frames: these.reduce((sum, { blackFrames }) => sum + blackFrames, 0),
    wrong_frames: these.reduce((sum, { wrongFrames }) => sum + wrongFrames, 0),
    p50_ms: rounded(quantile(gaps, 0.5)),
    p99_ms: rounded(p99),
    p50_frames: rounded(quantile(gaps, 0.5) / frameMs),
    p99_frames: rounded(p99 / frameMs),
    p99_frames_beyond_bare: rounded(Math.max(0, (p99 - bare) / frameMs)),
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Backend, startBackend } from '../backend/backend.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { isPlain, openPixelProbe, type PixelProbe, samePicture } from './pixel-probe.ts';

/** What build/bench.mjs provides. */
export interface StartupBenchOptions {
  /** The Electron executable, absolute. */
  readonly electron: string;
  /** A virtual display of 1920×1080 without a window manager. */
  readonly display: { readonly display: string; readonly framebuffer: string };
  /** Measured starts of each application, 12 where absent; one more of each goes before and is not counted. */
  readonly runs?: number;
  /** One line of progress. */
  narrate(text: string): void;
}

export interface StartupBenchResult {
  readonly rows: readonly {
    readonly application: string;
    readonly starts: number;
    readonly medianMs: number;
    readonly minMs: number;
    readonly maxMs: number;
  }[];
  readonly ratios: { readonly first_frame_vs_minimal: number };
}

const shownWithinMs = 30_000;
const picture = 'welcome.jpg';

interface Application {
  /** Ends the application and waits until it is gone. */
  stop(): Promise<void>;
  /** Calls back with each structured log line's event name. */
  onEvent(listener: (event: string) => void): void;
}

/**
 * Process start → first content frame: the player from its warm cache with the server down, against a
 * minimal Electron application that paints the same picture. Both are judged by the display's pixels.
 */
export async function startupBench(options: StartupBenchOptions): Promise<StartupBenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-startup-'));
  const probe = openPixelProbe(options.display.framebuffer);
  const tpm = await startSwtpm();
  try {
    const minimal = minimalApplication(folder);
    const reference = await referencePicture(options, minimal, probe);
    const player = await warmPlayer(options, folder, tpm.tcti, probe, reference);
    return await measure(options, { player, minimal }, probe, reference);
  } finally {
    await tpm.stop();
    probe.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(options: StartupBenchOptions, words: readonly string[]): Application {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', options.electron, ...words], {
    env: { ...process.env, DISPLAY: options.display.display },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
    onEvent: (listener) => {
      lines.on('line', (line) => {
        const event = /"event":"([^"]+)"/.exec(line)?.[1];
        if (event !== undefined) listener(event);
      });
    },
  };
}

/** The minimal application with the picture beside it; the words that start it. */
function minimalApplication(folder: string): readonly string[] {
  const target = join(folder, 'minimal');
  const source = resolve('test/bench/minimal');
  mkdirSync(target);
  for (const name of readdirSync(source)) copyFileSync(join(source, name), join(target, name));
  copyFileSync(resolve('test/fixtures/media', picture), join(target, 'picture'));
  return [join(target, 'main.cjs')];
}

/** The probed points once the minimal application's picture has stood still for a second. */
async function referencePicture(
  options: StartupBenchOptions,
  words: readonly string[],
  probe: PixelProbe,
): Promise<Buffer> {
  const application = start(options, words);
  let last = probe.read();
  let since = performance.now();
  await probe.until((points) => {
    if (!points.equals(last)) since = performance.now();
    last = points;
    return !isPlain(points) && performance.now() - since > 1000;
  }, shownWithinMs);
  await application.stop();
  await probe.until(isPlain, shownWithinMs);
  return last;
}

/** Register the player, let it fill its cache and show the picture, then take the server away; the words that start it. */
async function warmPlayer(
  options: StartupBenchOptions,
  folder: string,
  tcti: string,
  probe: PixelProbe,
  reference: Buffer,
): Promise<readonly string[]> {
  const backend = await startBackend({ stateDirectory: join(folder, 'server') });
  onePicture(backend);
  const settingsFile = join(folder, 'settings.json');
  const { origin, caFile } = backend;
  const state = { directory: join(folder, 'player') };
  const identity = { tcti, deviceCaFile: caFile };
  writeFileSync(settingsFile, JSON.stringify({ server: { origin, caFile }, identity, state }));
  const words = [resolve('dist/release/main.cjs'), '--settings', settingsFile];
  options.narrate('registering the player and filling its cache');
  const player = start(options, words);
  player.onEvent((event) => {
    if (event !== 'registration-pending') return;
    for (const { pin } of backend.pending()) backend.claim(pin, 'startup bench');
  });
  await probe.until((points) => samePicture(points, reference), shownWithinMs);
  await player.stop();
  await backend.close();
  await probe.until(isPlain, shownWithinMs);
  return words;
}

/** Let the screen play the sample's first picture alone, for a day. */
function onePicture(backend: Backend): void {
  const sample = backend.samplePlaylist();
  const playlist = 'playlists' in sample ? sample.playlists[0] : undefined;
  if (playlist === undefined) throw new Error('the sample has no playlist');
  const [item] = playlist.items as readonly object[];
  backend.setPlaylist({ playlists: [{ ...playlist, transitions: false, items: [{ ...item, duration: 86_400 }] }] });
}

async function measure(
  options: StartupBenchOptions,
  words: { readonly player: readonly string[]; readonly minimal: readonly string[] },
  probe: PixelProbe,
  reference: Buffer,
): Promise<StartupBenchResult> {
  const times = { player: [] as number[], minimal: [] as number[] };
  const runs = options.runs ?? 12;
  for (let run = 0; run <= runs; run++) {
    // Whoever goes second finds the machine as the first left it: the order alternates.
    const order = run % 2 === 0 ? (['player', 'minimal'] as const) : (['minimal', 'player'] as const);
    for (const name of order) {
      const startedAt = performance.now();
      const application = start(options, words[name]);
      const shownAt = await probe.until((points) => samePicture(points, reference), shownWithinMs);
      await application.stop();
      await probe.until(isPlain, shownWithinMs);
      if (run > 0) times[name].push(shownAt - startedAt);
      options.narrate(`${run}/${runs} ${name} ${(shownAt - startedAt).toFixed(0)} ms`);
    }
  }
  const rows = [summary('player, server down', times.player), summary('minimal Electron', times.minimal)];
  return { rows, ratios: { first_frame_vs_minimal: round(median(times.player) / median(times.minimal)) } };
}

function summary(application: string, times: readonly number[]) {
  const [minMs, maxMs] = [Math.min(...times), Math.max(...times)];
  return {
    application,
    starts: times.length,
    medianMs: round(median(times)),
    minMs: round(minMs),
    maxMs: round(maxMs),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** The whole path on one machine: software TPM, reference server, display, and the real player between them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import { _electron, test as base, type ElectronApplication, expect, type Page } from 'playwright/test';
import { type Backend, type BackendOptions, startBackend } from '../../backend/backend.ts';
import { type SoftwareTpm, startSwtpm } from '../../support/swtpm.ts';
import { type Display, startDisplay } from '../mocked/display.ts';

export const electron = path.resolve(process.env['SIGNET_ELECTRON'] ?? '.runtime/electron/electron');

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A running player. */
export interface Player {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly log: readonly LogLine[];
  /** The first line with this event after `from` lines, now or later. */
  logged(event: string, fields?: Readonly<Record<string, unknown>>, from?: number): Promise<LogLine>;
  /** The PIN on the screen, read from the page. */
  shownPin(): Promise<string>;
  /** SIGTERM to the main process; waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL to the main process; waits for the end. */
  kill(): Promise<void>;
}

export interface Rig {
  readonly folder: string;
  readonly stateDirectory: string;
  readonly display: Display;
  readonly tpm: SoftwareTpm;
  backend: Backend;
  /** Changes for the settings file, by section. */
  settings: Record<string, Record<string, unknown>>;
  startBackend(options?: Partial<BackendOptions>): Promise<Backend>;
  /** On the rig's display, or on another one, with further words on the command line, or as the rest of another command. */
  start(more?: {
    readonly display?: Display;
    readonly args?: readonly string[];
    readonly within?: readonly string[];
  }): Promise<Player>;
  /** Start, wait for the PIN, claim, wait for the first picture. */
  startRegistered(): Promise<Player>;
  writeSettings(): Promise<string>;
  environment: () => Record<string, string>;
}

/**
 * A program that becomes Electron with its standard output in a file. Playwright reads that output from the
 * beginning and would leave us only what comes after the launch.
 */
async function loggingElectron(folder: string, logFile: string, within: readonly string[]): Promise<string> {
  const program = path.join(folder, 'electron-logging');
  const command = [...within, electron].map((word) => `'${word}'`).join(' ');
  await writeFile(program, `#!/bin/sh\nexec ${command} "$@" >'${logFile}'\n`, { mode: 0o700 });
  return program;
}

async function makeRig(folder: string, display: Display, tpm: SoftwareTpm): Promise<Rig> {
  let starts = 0;
  const rig: Rig = {
    folder,
    stateDirectory: path.join(folder, 'state'),
    display,
    tpm,
    backend: undefined as unknown as Backend,
    settings: {},
    async startBackend(options = {}) {
      rig.backend = await startBackend({
        stateDirectory: path.join(folder, 'server'),
        pollIntervalSeconds: 0.2,
        registrationsPerMinute: 1_000,
        ...options,
      });
      return rig.backend;
    },
    async writeSettings() {
      const { origin, caFile } = rig.backend;
      const settings: Record<string, Record<string, unknown>> = {
        server: { origin, caFile },
        identity: { tcti: tpm.tcti, deviceCaFile: caFile, hostname: 'sign-under-test' },
        state: { directory: rig.stateDirectory },
        log: { level: 'debug' },
      };
      for (const [section, change] of Object.entries(rig.settings))
        settings[section] = { ...settings[section], ...change };
      const file = path.join(folder, 'settings.json');
      await writeFile(file, JSON.stringify(settings));
      return file;
    },
    environment: () => ({
      ...(process.env as Record<string, string>),
      DISPLAY: display.name,
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
    }),
    async start({ display: other = display, args = [], within = [] } = {}) {
      const logFile = path.join(folder, `player-${starts++}.log`);
      const app = await _electron.launch({
        executablePath: await loggingElectron(folder, logFile, within),
        chromiumSandbox: true,
        args: [path.resolve('dist/test/main.cjs'), '--settings', await rig.writeSettings(), ...args],
        env: { ...rig.environment(), DISPLAY: other.name },
      });
      return follow(app, logFile);
    },
    async startRegistered() {
      const player = await rig.start();
      rig.backend.claim(await player.shownPin(), 'Lobby');
      await player.logged('item-shown');
      return player;
    },
  };
  await rig.startBackend();
  return rig;
}

async function follow(app: ElectronApplication, logFile: string): Promise<Player> {
  const child = app.process();
  const log: LogLine[] = [];
  const changed = new EventTarget();
  const ended = once(child, 'exit');
  const stopReading = tailLog(logFile, log, () => changed.dispatchEvent(new Event('line')));
  void ended.then(stopReading);
  const page = await app.firstWindow();
  const player: Player = {
    app,
    page,
    log,
    logged: (event, fields = {}, from = 0) =>
      new Promise((resolve) => {
        const look = () => {
          const found = log
            .slice(from)
            .find(
              (line) => line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value),
            );
          if (found === undefined) return;
          changed.removeEventListener('line', look);
          resolve(found);
        };
        changed.addEventListener('line', look);
        look();
      }),
    async shownPin() {
      // A player that has failed to register, or to open its key, waits up to half a minute before it tries again.
      const text = await page.getByTestId('pin').textContent({ timeout: 60_000 });
      return (text ?? '').replaceAll(/\s/g, '');
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
  return player;
}

/** Follow a growing log file until the returned function is called, which reads what is left. */
function tailLog(file: string, log: LogLine[], changed: () => void): () => void {
  const descriptor = openSync(file, 'r');
  const decoder = new StringDecoder('utf8');
  const piece = Buffer.alloc(65_536);
  let rest = '';
  const read = () => {
    for (let length = readSync(descriptor, piece); length > 0; length = readSync(descriptor, piece)) {
      const lines = (rest + decoder.write(piece.subarray(0, length))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) log.push(JSON.parse(line) as LogLine);
      changed();
    }
  };
  const timer = setInterval(read, 20);
  return () => {
    clearInterval(timer);
    read();
    closeSync(descriptor);
  };
}

/** Gather the structured lines that a player writes to its standard output. */
function collectLog(child: ChildProcess, log: LogLine[]): void {
  if (child.stdout === null) throw new Error('the player has no standard output');
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return;
    log.push(JSON.parse(text) as LogLine);
  });
}

/** Run the player without Playwright, for builds that no debugger can attach to. */
export function spawnPlayer(
  build: 'release' | 'test',
  rig: Rig,
  args: readonly string[],
  env: Record<string, string> = {},
) {
  const child = spawn(electron, [path.resolve(`dist/${build}/main.cjs`), ...args], {
    env: { ...rig.environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  collectLog(child, log);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, log, exited, stderr: () => stderr };
}

/** What a player that runs has removed since its folder was listed, such as a file with a temporary name, is not there. */
const unlessGone =
  <T>(nothing: T) =>
  (thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return nothing;
    throw thrown;
  };

/** Every file below a folder with its bytes. */
export async function readTree(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(unlessGone([]))) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) for (const [file, bytes] of await readTree(at)) files.set(file, bytes);
    const bytes = entry.isFile() ? await readFile(at).catch(unlessGone(null)) : null;
    if (bytes !== null) files.set(at, bytes);
  }
  return files;
}

/** Gives a rig to `use` and takes it apart afterwards. */
export async function withRig(use: (rig: Rig) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'signet-rig-'));
  await mkdir(path.join(folder, 'tpm'));
  const display = await startDisplay(1280, 720);
  const tpm = await startSwtpm({ stateFolder: path.join(folder, 'tpm') });
  const rig = await makeRig(folder, display, tpm);
  await use(rig);
  await rig.backend.close();
  await tpm.stop();
  await display.stop();
  // Chromium's own processes end a moment after the player, and may still write to its folder.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

export const test = base.extend<{ rig: Rig }>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the names of the fixtures from the pattern
  rig: async ({}, use) => withRig(use),
});

export { expect };

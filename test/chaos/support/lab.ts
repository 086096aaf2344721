/** A player in a process of its own, in front of a server that a test drives, and everything that it said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FaultLayer } from './fault-layer.ts';
import { FaultProxy } from './fault-proxy.ts';
import { type Bug, type Program, sound } from './planted.ts';
import { type Chip, openRegistry, type Registry } from './registry.ts';
import type { SmallDisk } from './small-disk.ts';
import { StageServer } from './stage-server.ts';

/** Patience with a busy machine; nothing is measured against it. */
const patienceMs = 120_000;

export interface Said {
  readonly event: string;
  /** When it was read, monotonic milliseconds. */
  readonly atMs: number;
  readonly [field: string]: unknown;
}

/** mallopt(3): blocks from 16 KiB on are the kernel's again once freed, the rest is trimmed, and few arenas keep any. */
const givesBack = {
  MALLOC_MMAP_THRESHOLD_: `${16 * 1024}`,
  MALLOC_TRIM_THRESHOLD_: `${64 * 1024}`,
  MALLOC_ARENA_MAX: '2',
};

/** A player that runs. */
export class Run {
  readonly said: Said[] = [];
  readonly startedAtMs = performance.now();
  /** `null`: the player as it ships. */
  readonly bug: Bug | null;
  readonly child: ChildProcess;
  #ended: Promise<unknown>;
  #listeners = new Set<() => void>();
  stderr = '';

  /** @param within command that the player's is the rest of, such as one that makes a disk for it */
  constructor(
    { file, bug }: Program,
    args: readonly string[],
    env: Record<string, string>,
    within: readonly string[] = [],
  ) {
    this.bug = bug;
    const [command = process.execPath, ...before] = [...within, process.execPath];
    this.child = spawn(command, [...before, '--enable-source-maps', file, ...args], {
      env: { ...(process.env as Record<string, string>), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.child, 'close');
    void this.#ended.then(() => this.#tell());
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr = (this.stderr + bytes.toString()).slice(-8_192);
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      this.said.push({ ...JSON.parse(line), atMs: performance.now() });
      this.#tell();
    });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get crashed(): boolean {
    return this.child.exitCode !== null && this.child.exitCode !== 0;
  }

  /** The first line from index `from` on that satisfies. @throws when the player ends before, or in all patience */
  until(what: string, satisfies: (line: Said) => boolean, from = 0, withinMs = patienceMs): Promise<Said> {
    let next = from;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(seek);
        act();
      };
      const seek = () => {
        for (; next < this.said.length; next++) {
          const line = this.said[next] as Said;
          if (satisfies(line)) return settle(() => resolve(line));
        }
        if (this.child.exitCode !== null || this.child.signalCode !== null)
          settle(() => reject(new Error(`the player ended before: ${what}\n${this.stderr}`)));
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`not within ${withinMs} ms: ${what}\n${this.#lastWords()}`))),
        withinMs,
      );
      this.#listeners.add(seek);
      seek();
    });
  }

  #lastWords(): string {
    const words = this.said.filter(({ event }) => event !== 'eye' && event !== 'vitals').slice(-12);
    return `${words.map((line) => JSON.stringify(line)).join('\n')}\n${this.stderr}`;
  }

  published(version: number, from = 0): Promise<Said> {
    return this.until(
      `version ${version} published`,
      (line) => line.event === 'playlist-published' && line['version'] === version,
      from,
    );
  }

  /** Until an item of this version is on the display. */
  shows(version: number, from = 0, withinMs = patienceMs): Promise<Said> {
    return this.until(
      `version ${version} shown`,
      (line) => line.event === 'eye' && line['actual'] !== null && versionOf(line) === version,
      from,
      withinMs,
    );
  }

  codes(from = 0): string[] {
    const codes = this.said.slice(from).flatMap((line) => (typeof line['code'] === 'string' ? [line['code']] : []));
    return [...new Set(codes)];
  }

  get looks(): Said[] {
    return this.said.filter(({ event }) => event === 'eye');
  }

  /** Items on the display whose bytes are not what their name says. */
  get corrupt(): Said[] {
    return this.looks.filter((line) => line['actual'] !== null && line['actual'] !== line['hash']);
  }

  /** Looks at an empty display, from line `from` on, after something was on it at all. */
  blanks(from = 0): number {
    const first = this.said.findIndex(({ event, actual }) => event === 'eye' && actual !== null);
    return this.said.slice(Math.max(from, first)).filter(({ event, actual }) => event === 'eye' && actual === null)
      .length;
  }

  /** The most memory that the player had so far, as it told itself four times a second. */
  get peakBytes(): readonly number[] {
    return this.said.flatMap((line) => (line.event === 'vitals' ? [line['peakBytes'] as number] : []));
  }

  /** Resident memory once garbage was collected, bytes. @throws when the player ends before it says so */
  async heldBytes(): Promise<number> {
    const from = this.said.length;
    this.child.kill('SIGUSR2');
    return Number((await this.until('memory held', ({ event }) => event === 'held', from))['bytes']);
  }

  /** The longest time between two looks at the display, from the last one before line `from` on. */
  stillMs(from: number): number {
    const last = this.said.findLastIndex(({ event }, index) => event === 'eye' && index < from);
    const looks = this.said.slice(Math.max(0, last)).filter(({ event }) => event === 'eye');
    return Math.max(0, ...looks.slice(1).map(({ atMs }, index) => atMs - (looks[index] as Said).atMs));
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.#ended;
  }
}

export function versionOf(line: Said): number {
  return Number(/^v(\d+)-/.exec(String(line['itemId']))?.[1] ?? Number.NaN);
}

export interface Lab {
  readonly folder: string;
  readonly stateDirectory: string;
  readonly authority: string;
  readonly server: StageServer;
  /** Where the player's certificate comes from; `server.others` may hand requests to it. */
  readonly registry: Registry;
  readonly proxy: FaultProxy;
  readonly layer: FaultLayer;
  readonly journal: string;
  /** Changes for the settings, by section. */
  settings: Record<string, Record<string, unknown>>;
  /** The settings file for a player in front of the proxy. */
  writeSettings(): string;
  /**
   * @param program the player as it ships where absent
   * @param journal whether to write down every change of the state folder
   * @param disk what the state folder lies on; a disk forgets everything with the player
   * @param givesBack whether the C library gives back what was freed, so that resident memory is memory in use
   */
  start(program?: Program, journal?: boolean, disk?: SmallDisk, givesBack?: boolean): Run;
  /** The state folder as it was right after the registration. */
  resetState(): void;
  close(): Promise<void>;
}

/**
 * A registered player's state folder, the server that it belongs to, and the wire between them.
 * @param chip where the player's key is; a file where absent
 */
export async function openLab(chip?: Chip): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-lab-'));
  const [authority, stateDirectory, template] = ['authority', 'state', 'template'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const runs = new Set<Run>();
  const settings: Lab['settings'] = {};
  const writeSettings = (origin: string, caFile: string) => {
    const file = join(folder, 'settings.json');
    const all: Record<string, Record<string, unknown>> = {
      server: { origin, caFile },
      identity: {
        deviceCaFile: join(authority, 'ca.pem'),
        allowSoftwareKey: chip === undefined,
        tcti: chip?.tcti ?? 'swtpm:host=127.0.0.1,port=1',
        hostname: 'stage',
      },
      state: { directory: stateDirectory },
      store: { reserveBytes: 0 },
    };
    for (const [section, change] of Object.entries(settings)) all[section] = { ...all[section], ...change };
    writeFileSync(file, JSON.stringify(all));
    return file;
  };
  const journal = join(folder, 'journal');
  const layer = new FaultLayer(stateDirectory, join(folder, 'control'));
  const launch = (program: Program, origin: string, env: Record<string, string> = {}, disk?: SmallDisk) => {
    const run = new Run(
      program,
      ['--settings', writeSettings(origin, join(authority, 'ca.pem'))],
      { ...layer.environment, ...env },
      disk?.prefix,
    );
    runs.add(run);
    return run;
  };
  mkdirSync(stateDirectory, { mode: 0o700 });
  const registry = await openRegistry(authority, chip);
  const { backend } = registry;
  backend.setPlaylist({ playlists: [] });
  const first = launch(sound, backend.origin);
  const card = await first.until('a PIN', (line) => line.event === 'screen' && typeof line['pin'] === 'string');
  backend.claim(String(card['pin']), 'Stage');
  await first.until('a session', ({ event }) => event === 'session-started');
  await first.kill('SIGTERM');
  for (const name of ['playlist.json', 'store']) rmSync(join(stateDirectory, name), { recursive: true, force: true });
  cpSync(stateDirectory, template, { recursive: true });
  const server = await StageServer.start(authority);
  const proxy = await FaultProxy.start(() => server.port);
  server.mediaOrigin = `https://localhost:${proxy.port}`;
  const lab: Lab = {
    folder,
    stateDirectory,
    authority,
    server,
    registry,
    proxy,
    layer,
    journal,
    settings,
    start: (program = sound, journalled = false, disk, gives = false) =>
      launch(
        program,
        `https://localhost:${proxy.port}`,
        { ...(journalled ? { SIGNET_LAYER_JOURNAL: journal } : {}), ...(gives ? givesBack : {}) },
        disk,
      ),
    writeSettings: () => writeSettings(`https://localhost:${proxy.port}`, join(authority, 'ca.pem')),
    resetState: () => {
      rmSync(stateDirectory, { recursive: true, force: true });
      cpSync(template, stateDirectory, { recursive: true });
    },
    close: async () => {
      for (const run of runs) await run.kill();
      await proxy.close();
      await server.close();
      await backend.close();
      layer.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return lab;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

export function readText(file: string): string {
  return readFileSync(file, 'utf8');
}

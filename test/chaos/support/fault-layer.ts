/** The library of `layer/`, compiled once, and the control page with which a test steers it while a program runs. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

/** Places in the control page, as `struct control` of layer/fault-layer.c has them. */
const places = {
  clockOffsetMs: [0, 8],
  quotaBytes: [8, 8],
  readOnly: [16, 4],
  readError: [20, 4],
  slowMs: [24, 4],
  /** 0 names work, 1 there is no such name, 2 no name server answers, 3 answers come after 5 s. */
  names: [28, 4],
  syncError: [40, 4],
} as const;
const struckAt = 32;

let compiled: string | null = null;

/** Path of the library, in a folder that goes away with this process. */
function library(): string {
  if (compiled !== null) return compiled;
  const folder = mkdtempSync(join(tmpdir(), 'signet-layer-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const source = resolve('test/chaos/layer/fault-layer.c');
  compiled = join(folder, 'fault-layer.so');
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', ...warnings, '-o', compiled, source, '-ldl', '-lpthread']);
  return compiled;
}

export class FaultLayer {
  /** What a program needs in its environment. */
  readonly environment: Record<string, string>;
  readonly #page: number;

  /**
   * @param folder absolute; faults of the disk concern what lies below it
   * @param page file of the control page, made anew
   * @param journal file that the changes are written to, where they are wanted
   */
  constructor(folder: string, page: string, journal?: string) {
    writeFileSync(page, Buffer.alloc(4_096));
    this.#page = openSync(page, 'r+');
    this.environment = {
      LD_PRELOAD: library(),
      SIGNET_LAYER_FOLDER: folder,
      SIGNET_LAYER_CONTROL: page,
      ...(journal === undefined ? {} : { SIGNET_LAYER_JOURNAL: journal }),
    };
    this.set({ quotaBytes: -1 });
  }

  set(values: Partial<Record<keyof typeof places, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      const [at, length] = places[name as keyof typeof places];
      const bytes = Buffer.alloc(length);
      if (length === 8) bytes.writeBigInt64LE(BigInt(Math.round(value)));
      else bytes.writeInt32LE(value);
      writeSync(this.#page, bytes, 0, length, at);
    }
  }

  /** How many faults were dealt out so far. */
  get struck(): number {
    const bytes = Buffer.alloc(8);
    readSync(this.#page, bytes, 0, 8, struckAt);
    return Number(bytes.readBigInt64LE());
  }

  /** Back to a sound disk, clock and network. */
  heal(): void {
    this.set({ quotaBytes: -1, readOnly: 0, readError: 0, syncError: 0, slowMs: 0, names: 0, clockOffsetMs: 0 });
  }

  close(): void {
    closeSync(this.#page);
  }
}

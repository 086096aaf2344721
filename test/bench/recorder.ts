/** Reads a virtual display all the time, in a thread of its own, and keeps what changed and when. */
import { closeSync, openSync, readSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { bars, readSight, type Sight } from './marks.ts';

/** From this instant on the display showed this. */
export interface Change {
  /** `performance.now()` of the process that records */
  readonly atMs: number;
  readonly sight: Sight;
}

export interface Recorder {
  /** What changed since the last call. */
  take(): Promise<readonly Change[]>;
  stop(): Promise<void>;
}

interface Order {
  readonly framebuffer: string;
  readonly recorder: true;
}

/** Rows that are looked at: enough of them that a display which is being painted does not pass for a whole one. */
const rows = 12;

/** Between two looks, about 1,000 a second: an eighteenth of a frame at 60 Hz. */
const pauseMs = 0.6;

/** @param framebuffer X window dump, 32 bits per pixel, least significant byte first (as Xvfb writes on this machine) */
export function openEye(framebuffer: string): { look(): Sight; close(): void } {
  const file = openSync(framebuffer, 'r');
  const header = Buffer.alloc(100);
  readSync(file, header, 0, header.length, 0);
  const word = (index: number) => header.readUInt32BE(index * 4);
  const [width, height, stride] = [word(4), word(5), word(12)];
  if (word(1) !== 7 || word(11) !== 32 || word(7) !== 0) throw new Error('the frame buffer has an unknown format');
  const start = word(0) + word(19) * 12;
  const row = Buffer.alloc(width * 4);
  // Even numbers of bars and rows: the pointer rests in the middle of the display.
  const columns = Array.from({ length: bars }, (_, bar) => Math.floor((width * (bar + 0.5)) / bars) * 4);
  const look = () =>
    readSight(
      Array.from({ length: rows }, (_, at) => {
        readSync(file, row, 0, row.length, start + Math.floor((height * (at + 0.5)) / rows) * stride);
        return columns.map((x) => ((row[x] ?? 0) + (row[x + 1] ?? 0) * 2 + (row[x + 2] ?? 0)) / 4);
      }),
    );
  return { look, close: () => closeSync(file) };
}

const same = (one: Sight, other: Sight) =>
  one === other ||
  (typeof one !== 'string' && typeof other !== 'string' && one.item === other.item && one.frame === other.frame);

function record(framebuffer: string): void {
  const eye = openEye(framebuffer);
  const clock = new Int32Array(new SharedArrayBuffer(4));
  let changes: Change[] = [];
  let last: Sight | null = null;
  let running = true;
  parentPort?.on('message', (wish: 'take' | 'stop') => {
    parentPort?.postMessage(changes);
    changes = [];
    if (wish === 'stop') running = false;
  });
  const turn = () => {
    if (!running) {
      eye.close();
      parentPort?.close();
      return;
    }
    // Some looks in a row, then an ear for the other thread.
    for (let count = 0; count < 20; count += 1) {
      const sight = eye.look();
      if (last === null || !same(last, sight)) {
        changes.push({ atMs: performance.timeOrigin + performance.now(), sight });
        last = sight;
      }
      Atomics.wait(clock, 0, 0, pauseMs);
    }
    setImmediate(turn);
  };
  turn();
}

/** Start to record. This very file, bundled, is the thread's program. */
export function startRecorder(framebuffer: string): Recorder {
  const order: Order = { framebuffer, recorder: true };
  const worker = new Worker(new URL(import.meta.url), { workerData: order });
  const failed = new Promise<never>((_resolve, reject) => worker.once('error', reject));
  const ask = async (wish: 'take' | 'stop') => {
    const answer = new Promise<readonly Change[]>((resolve) => worker.once('message', resolve));
    worker.postMessage(wish);
    return Promise.race([answer, failed]);
  };
  return {
    take: () => ask('take'),
    stop: async () => {
      await ask('stop');
      await worker.terminate();
    },
  };
}

if (!isMainThread && (workerData as Order | null)?.recorder === true) record((workerData as Order).framebuffer);

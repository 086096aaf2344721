/** Thousands of players behind one server, each with the player's own loops, on a clock that a test moves. */
import { Readable } from 'node:stream';
import { PlayerError } from '../../electron/errors.ts';
import { backoffMs } from '../../electron/mtls/backoff.ts';
import { listenForEvents } from '../../electron/playlist/events.ts';
import { runSyncLoop } from '../../electron/playlist/loop.ts';
import { sync } from '../../electron/playlist/sync.ts';
import { emptyPlaylist } from './playlist-document.ts';
import { silentLog } from './silent-log.ts';

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** Timers are rounded up to this: what happens in between happens together, which makes no peak smaller. */
const tickMs = 10;

/** A clock that stands still until it is told to run; timers fire in order. */
export class VirtualTime {
  now = 0;
  #heap: Timer[] = [];

  /** @returns takes the timer back: it then fires to no effect */
  after(delayMs: number, fire: () => void): () => void {
    let wanted = true;
    this.#push({ atMs: Math.ceil((this.now + Math.max(0, delayMs)) / tickMs) * tickMs, fire: () => wanted && fire() });
    return () => {
      wanted = false;
    };
  }

  /** Run until an instant; whatever a tick sets off is done before the next. */
  async run(untilMs: number): Promise<void> {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      this.now = first.atMs;
      while (this.#heap[0] !== undefined && this.#heap[0].atMs === this.now) this.#pop().fire();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.now = untilMs;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Timer).atMs <= timer.atMs) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const first = heap[0] as Timer;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Timer).atMs < (heap[child] as Timer).atMs) child++;
      if ((heap[child] as Timer).atMs >= last.atMs) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** What a player of the fleet does differently, to see that the simulation would notice. */
export interface Plant {
  /** How long the media of a change take; none where absent. */
  readonly downloadMs?: number;
  backoff?(attempt: number, random: number): number;
}

export class Fleet {
  readonly time = new VirtualTime();
  /** Requests that reached the server's address, by second; whether it was up or not. */
  readonly perSecond: number[] = [];
  /** Players that have the server's present version. */
  upToDate = 0;
  up = true;
  #version = 1;
  #streams = new Set<Readable>();
  #downloads = new Set<() => void>();
  #stop = new AbortController();
  readonly #random: () => number;
  readonly #plant: Plant;

  constructor(players: number, random: () => number, plant: Plant = {}) {
    this.#random = random;
    this.#plant = plant;
    for (let index = 0; index < players; index++) this.#add();
  }

  /** The server is gone: every stream and every download ends at the same instant. */
  fail(): void {
    this.up = false;
    for (const stream of this.#streams) stream.destroy(new Error('reset'));
    this.#streams.clear();
    for (const breakOff of this.#downloads) breakOff();
    this.#downloads.clear();
  }

  /** Something new to play, told to everybody who listens. */
  change(): void {
    this.#version++;
    this.upToDate = 0;
    for (const stream of this.#streams) stream.push('event: playlist\ndata: 1\n\n');
  }

  /** The server is back, with something new to play. */
  recover(): void {
    this.up = true;
    this.#version++;
    this.upToDate = 0;
  }

  async end(): Promise<void> {
    this.#stop.abort(new Error('the end'));
    await new Promise((resolve) => setImmediate(resolve));
  }

  #request(): void {
    const second = Math.floor(this.time.now / 1_000);
    this.perSecond[second] = (this.perSecond[second] ?? 0) + 1;
    if (!this.up) throw new PlayerError('CONNECTION_REFUSED', 'nobody listens');
  }

  /** One file, of which half a megabyte has come where the server goes away meanwhile. */
  async #fetchMedia(kept: (bytes: number) => void): Promise<void> {
    const { downloadMs = 0 } = this.#plant;
    if (downloadMs === 0) return;
    this.#request();
    await new Promise<void>((resolve, reject) => {
      const breakOff = () => {
        kept(524_288);
        cancel();
        reject(new PlayerError('CONNECTION_FAILED', 'reset'));
      };
      const cancel = this.time.after(downloadMs, () => {
        this.#downloads.delete(breakOff);
        resolve();
      });
      this.#downloads.add(breakOff);
    });
  }

  #add(): void {
    const { signal } = this.#stop;
    const random = this.#random;
    const backoff = (attempt: number) => (this.#plant.backoff ?? backoffMs)(attempt, random());
    let version = 0;
    let keptBytes = 0;
    let poked = false;
    let wake: (() => void) | null = null;
    let listenNow: () => void = () => undefined;
    const poke = () => {
      if (wake === null) poked = true;
      else wake();
    };
    /** As `createPoke` waits, on the fleet's clock. */
    const waitForPoke = (ms: number) =>
      new Promise<void>((resolve) => {
        if (poked) {
          poked = false;
          return resolve();
        }
        const done = () => {
          wake = null;
          cancel();
          resolve();
        };
        const cancel = this.time.after(ms, done);
        wake = done;
      });
    const ports = {
      download: async () => {
        this.#request();
        if (version === this.#version) return { type: 'unchanged' } as const;
        return { type: 'document', text: String(this.#version), etag: `"${this.#version}"` } as const;
      },
      parse: (text: string) => emptyPlaylist(Number(text), Number.MAX_SAFE_INTEGER),
      ensureCached: () => this.#fetchMedia((bytes) => (keptBytes += bytes)),
      unanswered: () => {},
      askAgain: (over: AbortSignal) =>
        new Promise<never>((_resolve, reject) =>
          over.addEventListener('abort', () => reject(over.reason), { once: true }),
        ),
      mayPlayInPart: () => false,
      keep: async () => {},
      publish: () => {
        version = this.#version;
        this.upToDate++;
      },
    };
    const syncOnce = () => sync(ports, { etag: undefined, version: undefined, screenId: undefined, nowMs: undefined });
    const alive = { log: silentLog, backoff };
    // Players were not all switched on in the same instant.
    this.time.after(random() * 60_000, () => {
      const loop = runSyncLoop(
        {
          ...alive,
          sync: syncOnce,
          keptBytes: () => keptBytes,
          wait: waitForPoke,
          random,
          now: () => this.time.now,
          suspended: async () => {},
          isBack: () => listenNow(),
          report: () => {},
        },
        signal,
      );
      const listening = listenForEvents(
        {
          ...alive,
          open: async () => {
            this.#request();
            const body = new Readable({ read: () => undefined });
            this.#streams.add(body);
            return { status: 200, body };
          },
          take: poke,
          missed: poke,
          wait: (ms) => new Promise((resolve) => void this.time.after(ms, resolve)),
          waitForServer: (ms) =>
            new Promise((resolve) => {
              const cancel = this.time.after(ms, resolve);
              listenNow = () => {
                cancel();
                listenNow = () => undefined;
                resolve();
              };
            }),
        },
        signal,
      );
      for (const end of [loop, listening]) end.catch(() => undefined);
    });
  }
}

/** Requests a second, as a line of the table for every so many seconds. */
export function rateTable(perSecond: readonly number[], fromSecond: number, toSecond: number, step: number): string {
  const lines: string[] = [];
  let most = 1;
  const rows: [number, number, number][] = [];
  for (let second = fromSecond; second < toSecond; second += step) {
    const span = Array.from({ length: step }, (_, index) => perSecond[second + index] ?? 0);
    const mean = span.reduce((sum, count) => sum + count, 0) / step;
    rows.push([second, mean, Math.max(...span)]);
    most = Math.max(most, ...span);
  }
  for (const [second, mean, peak] of rows) {
    const bar = '#'.repeat(Math.round((mean / most) * 60));
    lines.push(
      `${String(second).padStart(6)} s ${mean.toFixed(0).padStart(6)}/s, peak ${String(peak).padStart(6)}/s ${bar}`,
    );
  }
  return lines.join('\n');
}

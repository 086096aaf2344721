import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, openTpm, type SigningKey } from 'node-tss';
import { startNginx } from '../support/nginx.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { commandCodes, startTpmRelay } from '../support/tpm-relay.ts';

/** What else the process got done meanwhile; milliseconds. */
export interface PoolRow {
  readonly load: string;
  readonly lastedMs: number;
  readonly reads: number;
  readonly readMedianMs: number;
  readonly readP99Ms: number;
  readonly readMaxMs: number;
  readonly loopMedianMs: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
}

export interface PoolBench {
  readonly rows: readonly PoolRow[];
  /** Reads while handshakes wait for the TPM against reads while libuv's pool does, and while nothing goes on. */
  readonly ratios: { readonly read_max_vs_pool: number; readonly read_median_vs_idle: number };
  /** While the handshakes wait, and the maxima of the same time with nothing going on: the machine's own; ms. */
  readonly values: {
    readonly read_max_ms: number;
    readonly read_p99_ms: number;
    readonly loop_delay_max_ms: number;
    readonly loop_delay_p99_ms: number;
    readonly idle_read_max_ms: number;
    readonly idle_loop_delay_max_ms: number;
  };
}

const SIGNATURE_MS = 200;
const PARALLEL = 8;
const DEFAULT_RUNS = 3;
/** Threads that libuv starts unless told otherwise. */
const POOL_THREADS = 4;
const NANOSECONDS_PER_MS = 1e6;
/** Between reads, so that they measure and do not load the machine themselves. */
const PAUSE_MS = 1;
const FILE = 'package.json';

/**
 * `fs.readFile` and the event loop while eight handshakes at a time wait for a TPM that takes 200 ms to sign, and
 * for as long while nothing goes on. For comparison, what waits of that length do in libuv's pool: there an addon
 * that signs in a `uv_work_t` (or `Napi::AsyncWorker`) would spend them.
 * @param options.runs rounds of eight handshakes, 3 where absent
 */
export async function poolBench(options: { readonly runs?: number } = {}): Promise<PoolBench> {
  const runs = options.runs ?? DEFAULT_RUNS;
  const { servers, clients } = authorities();
  const emulator = await startSwtpm();
  const relay = await startTpmRelay(emulator);
  const tpm = await openTpm({ tcti: relay.tcti });
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  try {
    const key = await tpm.loadKey(await tpm.createKey());
    const certificateChain = clientCertificate(clients, key);
    const handshake = () => shakeHands(nginx.port, servers.certificatePem, { key, certificateChain });
    // Code that runs for the first time is compiled on the event loop.
    await Promise.all(Array.from({ length: PARALLEL }, handshake));
    relay.rule = async (code) => {
      if (code === commandCodes.sign) await delay(SIGNATURE_MS);
      return 'pass' as const;
    };
    const handshakes = async () => {
      for (let run = 0; run < runs; run++) await Promise.all(Array.from({ length: PARALLEL }, handshake));
    };
    const busy = await observe(`${PARALLEL} handshakes, signer at ${SIGNATURE_MS} ms`, handshakes);
    const pooled = await observe(`${PARALLEL} waits of ${SIGNATURE_MS} ms in libuv's pool`, () => waitInPool(runs));
    const idle = await observe('nothing', () => delay(busy.lastedMs));
    return {
      rows: [busy, pooled, idle],
      ratios: {
        read_max_vs_pool: round(busy.readMaxMs / pooled.readMaxMs),
        read_median_vs_idle: round(busy.readMedianMs / idle.readMedianMs),
      },
      values: {
        read_max_ms: busy.readMaxMs,
        read_p99_ms: busy.readP99Ms,
        loop_delay_max_ms: busy.loopMaxMs,
        loop_delay_p99_ms: busy.loopP99Ms,
        idle_read_max_ms: idle.readMaxMs,
        idle_loop_delay_max_ms: idle.loopMaxMs,
      },
    };
  } finally {
    await tpm.close();
    await nginx.stop();
    await relay.stop();
    await emulator.stop();
  }
}

interface Identity {
  readonly key: SigningKey;
  readonly certificateChain: string;
}

async function shakeHands(port: number, ca: string, identity: Identity): Promise<void> {
  const stream = await connect({ host: '127.0.0.1', servername: 'localhost', port, ca, identity, resume: false });
  stream.destroy();
  await once(stream, 'close');
}

/** Have threads of libuv's pool wait: each opens a FIFO, which blocks until somebody opens its other end. */
async function waitInPool(runs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pool-bench-'));
  try {
    for (let run = 0; run < runs; run++) {
      const paths = Array.from({ length: PARALLEL }, (_, i) => join(folder, `${run}-${i}`));
      execFileSync('mkfifo', paths);
      const opened = Promise.all(paths.map((path) => open(path, 'r')));
      for (let at = 0; at < PARALLEL; at += POOL_THREADS) {
        await delay(SIGNATURE_MS);
        for (const path of paths.slice(at, at + POOL_THREADS)) closeSync(await openOtherEnd(path));
      }
      for (const file of await opened) await file.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Opening for writing is refused until a reader waits; a thread of the pool that has just become free needs a moment. */
async function openOtherEnd(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENXIO') throw thrown;
      await delay(1);
    }
  }
}

/** Read a file over and over while `load` goes on. */
async function observe(load: string, work: () => Promise<unknown>): Promise<PoolRow> {
  const readMs: number[] = [];
  // Its timer fires each millisecond; what is recorded contains that millisecond.
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const startMs = performance.now();
  let isOver = false;
  loop.enable();
  const working = work().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const readAtMs = performance.now();
    await readFile(FILE);
    readMs.push(performance.now() - readAtMs);
    await delay(PAUSE_MS);
  }
  await working;
  loop.disable();
  const sorted = readMs.toSorted((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return {
    load,
    lastedMs: round(performance.now() - startMs),
    reads: sorted.length,
    readMedianMs: at(0.5),
    readP99Ms: at(0.99),
    readMaxMs: at(1),
    loopMedianMs: round(loop.percentile(50) / NANOSECONDS_PER_MS),
    loopP99Ms: round(loop.percentile(99) / NANOSECONDS_PER_MS),
    loopMaxMs: round(loop.max / NANOSECONDS_PER_MS),
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

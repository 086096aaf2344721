import { memoryUsage } from 'node:process';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ConnectOptions, connect, openTpm } from 'node-tss';
import { startNginx } from '../support/nginx.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { getRoot, toLocalhost } from '../support/tls-client.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { rounded } from './sample.ts';

/** The process's memory after so many connections, garbage collected. */
export interface MemoryRow {
  readonly connections: number;
  readonly rssMb: number;
  readonly heapMb: number;
}

export interface MemoryBench {
  readonly rows: readonly MemoryRow[];
  readonly ratios: Readonly<Record<string, never>>;
  /** Of the resident set over the connections that were counted, 10⁶ bytes. */
  readonly values: { readonly rss_growth_mb: number; readonly connections: number };
}

const DEFAULT_RUNS = 1000;
/** Until code is compiled and pools have their size. */
const WARM_UP_RUNS = 300;
const STEPS = 5;
const MB = 1e6;

/**
 * What connections leave behind: each a full handshake with the TPM's key, a request, its answer, and the end.
 * @param options.runs connections one after the other, 1,000 where absent
 */
export async function memoryBench(options: { readonly runs?: number } = {}): Promise<MemoryBench> {
  const runs = options.runs ?? DEFAULT_RUNS;
  const { servers, clients } = authorities();
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti });
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  try {
    const key = await tpm.loadKey(await tpm.createKey());
    const identity = { key, certificateChain: clientCertificate(clients, key) };
    const target = toLocalhost(nginx.port, servers.certificatePem, { identity, resume: false });
    await ask(target, WARM_UP_RUNS);
    const rows = [snapshot(0)];
    for (let step = 1; step <= STEPS; step++) {
      const done = rows.at(-1)?.connections ?? 0;
      await ask(target, Math.round((runs * step) / STEPS) - done);
      rows.push(snapshot(Math.round((runs * step) / STEPS)));
    }
    const [first, last] = [rows[0], rows.at(-1)] as [MemoryRow, MemoryRow];
    return { rows, ratios: {}, values: { rss_growth_mb: rounded(last.rssMb - first.rssMb), connections: runs } };
  } finally {
    await nginx.stop();
    await tpm.close();
    await emulator.stop();
  }
}

async function ask(target: ConnectOptions, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const stream = await connect(target);
    stream.write(getRoot);
    if (!(await text(stream)).includes('200 OK')) throw new Error('the server did not answer');
  }
}

function snapshot(connections: number): MemoryRow {
  collectGarbage();
  const { rss, heapUsed } = memoryUsage();
  return { connections, rssMb: rounded(rss / MB), heapMb: rounded(heapUsed / MB) };
}

/** What only waits to be collected was not lost. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
}

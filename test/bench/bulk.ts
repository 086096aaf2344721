import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { openTpm, undiciConnector } from 'node-tss';
import { Agent, type Dispatcher, fetch, request } from 'undici';
import { createKey, keyPem } from '../support/certificates.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { median, rounded } from './sample.ts';

/** One way to a body of 256 MiB. */
export interface BulkRow {
  readonly client: string;
  readonly runs: number;
  /** Medians, from the call to the body's last byte, on a connection that is open already. */
  readonly mibPerSecond: number;
  /** User and system time of this process, all its threads. */
  readonly cpuMsPerGib: number;
}

export interface BulkBench {
  readonly rows: readonly BulkRow[];
  /**
   * Throughput over node-tss by that over Node's own TLS; `cpu_vs_node`: CPU time, the worse one of request and fetch.
   * Medians of what each round gives, because a machine that is busy elsewhere is it for longer than a round.
   */
  readonly ratios: {
    readonly request_vs_node: number;
    readonly fetch_vs_node: number;
    readonly cpu_vs_node: number;
  };
}

const DEFAULT_RUNS = 15;
const WARM_UP_RUNS = 2;
const MIB = 1024 * 1024;
const BODY_MIB = 256;

type Quartet = [Contestant, Contestant, Contestant, Contestant];

interface Contestant {
  readonly client: string;
  readonly mibPerSecond: number[];
  readonly cpuMsPerGib: number[];
  /** @returns bytes of the body */
  download(): Promise<number>;
}

/**
 * Large bodies from one nginx through undici, over node-tss and over Node's own TLS, taking turns.
 * @param options.runs bodies by each way, 15 where absent
 */
export async function bulkBench(options: { readonly runs?: number } = {}): Promise<BulkBench> {
  const runs = options.runs ?? DEFAULT_RUNS;
  const { servers, clients } = authorities();
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti });
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  const key = await tpm.loadKey(await tpm.createKey());
  const ca = servers.certificatePem;
  const identity = { key, certificateChain: clientCertificate(clients, key) };
  const overTss = new Agent({ connect: undiciConnector({ credentials: () => ({ ca, identity }) }) });
  const software = createKey();
  const cert = clients.issue({
    commonName: 'screen',
    publicKey: software.publicKey,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    purposes: ['clientAuth'],
  }).pem;
  const overNode = new Agent({ connect: { ca, cert, key: keyPem(software.privateKey), minVersion: 'TLSv1.3' } });
  try {
    const url = provideBody(nginx);
    const contestants = [
      contestant('request over node-tss', () => requested(url, overTss)),
      contestant('request over Node tls', () => requested(url, overNode)),
      contestant('fetch over node-tss', () => fetched(url, overTss)),
      contestant('fetch over Node tls', () => fetched(url, overNode)),
    ];
    for (let run = -WARM_UP_RUNS; run < runs; run++) {
      for (let turn = 0; turn < contestants.length; turn++) {
        // Whoever comes next finds the machine as the last one left it: the order rotates.
        const next = contestants[(turn + run + WARM_UP_RUNS) % contestants.length];
        if (next !== undefined) await measure(next, run >= 0);
      }
    }
    return result(contestants);
  } finally {
    await overTss.close();
    await overNode.close();
    await nginx.stop();
    await tpm.close();
    await emulator.stop();
  }
}

/** @returns its URL */
function provideBody(nginx: Nginx): string {
  const file = join(nginx.filesFolder, 'body');
  writeFileSync(file, '');
  // Zeros cost a cipher as much as anything else, and the disk nothing.
  truncateSync(file, BODY_MIB * MIB);
  return `${nginx.url}/files/body`;
}

async function requested(url: string, dispatcher: Dispatcher): Promise<number> {
  const { body, statusCode } = await request(url, { dispatcher });
  if (statusCode !== 200) throw new Error(`the server answered ${statusCode}`);
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) bytes += chunk.length;
  return bytes;
}

async function fetched(url: string, dispatcher: Dispatcher): Promise<number> {
  const { body, status } = await fetch(url, { dispatcher });
  if (status !== 200 || body === null) throw new Error(`the server answered ${status}`);
  let bytes = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
  return bytes;
}

function contestant(client: string, download: () => Promise<number>): Contestant {
  return { client, mibPerSecond: [], cpuMsPerGib: [], download };
}

async function measure({ download, mibPerSecond, cpuMsPerGib }: Contestant, counts: boolean): Promise<void> {
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const bytes = await download();
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (bytes !== BODY_MIB * MIB) throw new Error(`${bytes} bytes came`);
  if (!counts) return;
  mibPerSecond.push(BODY_MIB / seconds);
  cpuMsPerGib.push(((user + system) / 1000) * (1024 / BODY_MIB));
}

function result(contestants: readonly Contestant[]): BulkBench {
  const rows = contestants.map(({ client, mibPerSecond, cpuMsPerGib }) => ({
    client,
    runs: mibPerSecond.length,
    mibPerSecond: rounded(median(mibPerSecond)),
    cpuMsPerGib: rounded(median(cpuMsPerGib)),
  }));
  const [tssRequest, nodeRequest, tssFetch, nodeFetch] = contestants as Quartet;
  const cpu = [
    compared(tssRequest.cpuMsPerGib, nodeRequest.cpuMsPerGib),
    compared(tssFetch.cpuMsPerGib, nodeFetch.cpuMsPerGib),
  ];
  return {
    rows,
    ratios: {
      request_vs_node: compared(tssRequest.mibPerSecond, nodeRequest.mibPerSecond),
      fetch_vs_node: compared(tssFetch.mibPerSecond, nodeFetch.mibPerSecond),
      cpu_vs_node: Math.max(...cpu),
    },
  };
}

function compared(ours: readonly number[], theirs: readonly number[]): number {
  return rounded(median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN))));
}

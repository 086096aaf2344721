import { openTpm, softwareKey } from 'node-tss';
import { issueServerChain } from '../support/certificate-chain.ts';
import { createKey, keyPem } from '../support/certificates.ts';
import { startNginx } from '../support/nginx.ts';
import { openSTime, whyNoSTime } from '../support/openssl-s-time.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { type HandshakeClient, nodeTlsClient, nodeTssClient, race } from './handshake-clients.ts';
import { memoryBench } from './memory.ts';
import { median, quantile, rounded } from './sample.ts';

/** One client of the comparison; milliseconds from the call to a finished handshake, name and TCP included. */
export interface HandshakeRow {
  readonly client: string;
  readonly runs: number;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  /** What is different about this row, or why it is empty. */
  readonly remark: string;
}

/** Medians of node-tss against those of others, in the same run; all servers are the same nginx with other settings. */
export interface HandshakeRatios {
  /** Full handshake with a TPM's key against Node's `tls` with a software key; the same as `tpm_context_vs_…`. */
  readonly tpm_vs_node_software: number;
  /** A raw TPM: the key is loaded, signs and is flushed for each handshake. */
  readonly tpm_context_vs_node_software: number;
  /** The key stays in the TPM (`TpmOptions.keepLoaded`), as it does behind a resource manager. */
  readonly tpm_loaded_vs_node_software: number;
  readonly software_vs_node_software: number;
  /** Null where there is no tpm2-openssl that works: the row says why. */
  readonly tpm_vs_openssl_s_time: number | null;
  readonly resumed_vs_node_resumed: number;
}

export interface HandshakeBench {
  readonly rows: readonly HandshakeRow[];
  readonly ratios: HandshakeRatios;
  /** Of 1,000 connections one after the other: see memory.ts. */
  readonly values: { readonly rss_growth_mb: number; readonly connections: number };
}

/** In the order of the contestants in `takeTurns`. */
type Medians = [number, number, number, number, number, number];

const DEFAULT_RUNS = 300;
const WARM_UP_RUNS = 50;
/** `openssl s_time` counts in whole seconds: whoever competes with it takes turns in blocks. */
const BLOCKS = 5;

/**
 * Sequential TLS 1.3 handshakes with servers that verify client certificates, the clients taking turns.
 * @param options.runs handshakes of each client, 300 where absent
 */
export async function handshakeBench(options: { readonly runs?: number } = {}): Promise<HandshakeBench> {
  const runs = options.runs ?? DEFAULT_RUNS;
  const { rows, medians } = await takeTurns(runs);
  const sTime = await againstSTime();
  const { values } = await memoryBench();
  const [inContext, loaded, software, nodeSoftware, resumed, nodeResumed] = medians as Medians;
  return {
    rows: [...rows, ...sTime.rows],
    ratios: {
      tpm_vs_node_software: rounded(inContext / nodeSoftware),
      tpm_context_vs_node_software: rounded(inContext / nodeSoftware),
      tpm_loaded_vs_node_software: rounded(loaded / nodeSoftware),
      software_vs_node_software: rounded(software / nodeSoftware),
      tpm_vs_openssl_s_time: sTime.ratio,
      resumed_vs_node_resumed: rounded(resumed / nodeResumed),
    },
    values,
  };
}

async function takeTurns(runs: number): Promise<{ rows: HandshakeRow[]; medians: number[] }> {
  const { servers, clients } = authorities();
  const emulator = await startSwtpm();
  const rawTpm = await openTpm({ tcti: emulator.tcti });
  const ownTpm = await openTpm({ tcti: emulator.tcti, keepLoaded: true });
  const server = { ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem };
  const full = await startNginx(server);
  const resuming = await startNginx({ ...server, tickets: true });
  try {
    const key = keyPem(createKey().privateKey);
    const cert = clientCertificate(clients, softwareKey(key));
    const inSoftware = { key: softwareKey(key), certificateChain: cert };
    const rawKey = await rawTpm.loadKey(await rawTpm.createKey());
    const raw = { key: rawKey, certificateChain: clientCertificate(clients, rawKey) };
    const ownKey = await ownTpm.loadKey(await ownTpm.createKey());
    const own = { key: ownKey, certificateChain: clientCertificate(clients, ownKey) };
    const course = { ca: servers.certificatePem, port: full.port, resumed: false };
    const resumedCourse = { ca: servers.certificatePem, port: resuming.port, resumed: true };
    const contestants = [
      nodeTssClient('node-tss, TPM key, loaded for each signature', raw, course, rawTpm),
      nodeTssClient('node-tss, TPM key, kept loaded', own, course),
      nodeTssClient('node-tss, software key', inSoftware, course),
      nodeTlsClient('Node tls, software key', { key, cert }, course),
      nodeTssClient('node-tss, TPM key, resumed', raw, resumedCourse),
      nodeTlsClient('Node tls, software key, resumed', { key, cert }, resumedCourse),
    ];
    const times = await race(contestants, { runs, warmUpRuns: WARM_UP_RUNS });
    const rows = contestants.map(({ name }, i) => summary(name, times[i] ?? []));
    return { rows, medians: times.map(median) };
  } finally {
    await full.stop();
    await resuming.stop();
    await rawTpm.close();
    await ownTpm.close();
    await emulator.stop();
  }
}

/** One key of a TPM, kept loaded in node-tss as in tpm2-openssl, with a server whose own keys are Ed25519. */
async function againstSTime(): Promise<{ rows: HandshakeRow[]; ratio: number | null }> {
  const name = 'openssl s_time, tpm2-openssl, TPM key';
  const absent = (remark: string) => ({
    rows: [{ client: name, runs: 0, medianMs: null, p95Ms: null, remark }],
    ratio: null,
  });
  const reason = whyNoSTime();
  if (reason !== undefined) return absent(reason);
  const { clients } = authorities();
  const { rootPem, identity } = issueServerChain('Ed25519', 0);
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti, keepLoaded: true });
  const nginx = await startNginx({ ...identity, clientAuthorityPem: clients.certificatePem });
  const { port } = nginx;
  try {
    const pem = await tpm.createKey();
    const key = await tpm.loadKey(pem);
    const certificateChain = clientCertificate(clients, key);
    const secured = { tcti: emulator.tcti, keyPem: pem, certificatePem: certificateChain, rootPem, port };
    const ours = nodeTssClient('node-tss', { key, certificateChain }, { port, ca: rootPem, resumed: false });
    const sTime = openSTime(secured);
    const theirMs: number[] = [];
    const ourMs: number[] = [];
    let connections = 0;
    try {
      for (let block = 0; block < BLOCKS; block++) {
        // Nothing is under way when openssl starts: its process would inherit the connection of a command.
        await tpm.info();
        const theirs = await sTime.connect();
        if (typeof theirs === 'string') return absent(theirs);
        connections += theirs.connections;
        theirMs.push(theirs.meanMs);
        ourMs.push(await meanHandshakeMs(ours, theirs.connections));
      }
    } finally {
      sTime.end();
    }
    const setting = `means of ${BLOCKS} blocks; server with Ed25519 keys`;
    const row = (client: string, ms: number[], remark: string) => ({
      ...summary(client, ms),
      runs: connections,
      remark,
    });
    const rows = [
      row('node-tss, TPM key, kept loaded', ourMs, setting),
      row(name, theirMs, `${setting}; the closing included, it counts nothing else`),
    ];
    return { rows, ratio: rounded(median(ourMs.map((ms, block) => ms / (theirMs[block] ?? Number.NaN)))) };
  } finally {
    await nginx.stop();
    await tpm.close();
    await emulator.stop();
  }
}

async function meanHandshakeMs(client: HandshakeClient, times: number): Promise<number> {
  let sumMs = 0;
  for (let time = 0; time < times; time++) sumMs += await client.handshake();
  return sumMs / times;
}

function summary(client: string, times: readonly number[]): HandshakeRow {
  const [medianMs, p95Ms] = [rounded(median(times)), rounded(quantile(times, 0.95))];
  return { client, runs: times.length, medianMs, p95Ms, remark: '' };
}

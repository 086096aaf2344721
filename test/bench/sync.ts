import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { openTpm } from 'node-tss';
import { openContent } from '../../electron/assembly/content.ts';
import { createFactBook } from '../../electron/assembly/facts.ts';
import { createOriginClient, type OriginClient } from '../../electron/mtls/client.ts';
import { apiConnector } from '../../electron/mtls/connector.ts';
import { createRests } from '../../electron/mtls/rests.ts';
import { downloadPlaylist } from '../../electron/playlist/download.ts';
import { sync } from '../../electron/playlist/sync.ts';
import { parseSettings } from '../../electron/settings.ts';
import { createKey, keyPem } from '../support/certificates.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { playingFacts } from '../support/screen-facts.ts';
import { silentLog } from '../support/silent-log.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { median, rounded } from './sample.ts';
import { fetchWithCurl, settleDisk } from './sync-curl.ts';
import { largeStore, type StoreFigures } from './sync-store.ts';

/** One way to bring a thousand files to the disk, verified and durable. */
export interface SyncRow {
  readonly what: string;
  readonly runs: number;
  readonly seconds: number;
  readonly mibPerSecond: number;
}

export interface SyncBench {
  readonly rows: readonly SyncRow[];
  /** The player's time by that of `curl --parallel`, then `sha256sum`, then `sync`; the median of the rounds. */
  readonly ratios: { readonly time_vs_curl: number };
  readonly values: StoreFigures & {
    readonly poll_requests: number;
    /** User and system time of the whole process for a poll that is answered 304. */
    readonly poll_cpu_ms: number;
  };
}

const DEFAULT_RUNS = 5;
const FILES = 1_000;
const MIB = 2 ** 20;
const BYTES = 2_048 * MIB;
const POLLS = 200;
const never = new AbortController().signal;

/** A file of the playlist, as the server has it. */
interface ServedFile {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * The player's own sync against one nginx over mutual TLS with the TPM's key, and curl with a software key, taking turns.
 * @param options.runs rounds, 5 where absent
 */
export async function syncBench(options: {
  readonly runs?: number;
  readonly narrate?: (text: string) => void;
}): Promise<SyncBench> {
  const { runs = DEFAULT_RUNS, narrate = () => {} } = options;
  // First, while the process is as young as a player's.
  const figures = await largeStore();
  const folder = await mkdtemp(join(tmpdir(), 'signet-sync-'));
  const { servers, clients } = authorities();
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti });
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  try {
    narrate(`writing ${FILES} files, ${BYTES / MIB} MiB in all`);
    const files = await provideFiles(nginx);
    const caFile = join(folder, 'servers.pem');
    await writeFile(caFile, servers.certificatePem);
    const key = await tpm.loadKey(await tpm.createKey());
    const identity = { key, certificateChain: clientCertificate(clients, key) };
    const curl = await softwareIdentity(folder, clients);
    const seconds = { player: [] as number[], curl: [] as number[] };
    let poll = { requests: 0, cpuMs: 0 };
    for (let run = 0; run < runs; run++) {
      const state = join(folder, 'state');
      const player = async () => {
        const screen = await openPlayer(nginx, caFile, identity, state);
        const startMs = performance.now();
        await screen.sync();
        seconds.player.push((performance.now() - startMs) / 1_000);
        if (run === 0) poll = await measurePoll(screen);
        await screen.close();
        await rm(state, { recursive: true });
      };
      const theirs = async () => {
        const target = join(folder, 'curl');
        await mkdir(target);
        seconds.curl.push(await fetchWithCurl({ files, url: `${nginx.url}/files/`, target, caFile, ...curl }));
        await rm(target, { recursive: true });
      };
      for (const turn of run % 2 === 0 ? [player, theirs] : [theirs, player]) {
        // What the one before left to be written must not be counted for this one.
        await settleDisk(folder);
        await turn();
      }
      narrate(
        `round ${run + 1}: player ${seconds.player.at(-1)?.toFixed(1)} s, curl ${seconds.curl.at(-1)?.toFixed(1)} s`,
      );
    }
    const row = (what: string, of: readonly number[]): SyncRow => ({
      what,
      runs,
      seconds: rounded(median(of)),
      mibPerSecond: rounded(BYTES / MIB / median(of)),
    });
    const ratios = seconds.player.map((ours, round) => ours / (seconds.curl[round] ?? Number.NaN));
    return {
      rows: [row('player, TPM key', seconds.player), row('curl -Z + sha256sum + sync', seconds.curl)],
      ratios: { time_vs_curl: rounded(median(ratios)) },
      values: { ...figures, poll_requests: poll.requests, poll_cpu_ms: rounded(poll.cpuMs) },
    };
  } finally {
    await nginx.stop();
    await tpm.close();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Files of 1 … 3 MiB that begin as pictures do, and the playlist that names them. */
async function provideFiles(nginx: Nginx): Promise<ServedFile[]> {
  const files: ServedFile[] = [];
  const random = randomFillSync(Buffer.alloc(3 * MIB));
  let leftBytes = BYTES;
  for (let index = 0; index < FILES; index++) {
    const share = Math.floor(MIB * (1 + (2 * ((index * 619) % FILES)) / FILES) * 1.024);
    const sizeBytes = index === FILES - 1 ? leftBytes : Math.min(share, 3 * MIB);
    leftBytes -= sizeBytes;
    const bytes = Buffer.concat([pngHead(index), random.subarray(0, Math.max(0, sizeBytes - 33))], sizeBytes);
    const name = `${index}.png`;
    await writeFile(join(nginx.filesFolder, name), bytes);
    files.push({ name, sizeBytes, sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  await writeFile(join(nginx.filesFolder, 'playlist.json'), playlistOf(nginx.url, files));
  return files;
}

/** Signature and IHDR of a picture of 1920 × 1080; the number makes each file another. */
export function pngHead(index: number): Buffer {
  const head = Buffer.from('89504e470d0a1a0a0000000d4948445200000780000004380802000000', 'hex');
  const number = Buffer.alloc(4);
  number.writeUInt32BE(index);
  return Buffer.concat([head, number]);
}

export function playlistOf(origin: string, files: readonly ServedFile[]): string {
  const config = { display_rotate: 0, shuffle_playlist: false, audio_output: 'hdmi', play_history_enabled: true };
  const now = new Date();
  return JSON.stringify({
    now: now.toISOString(),
    deadline: new Date(now.getTime() + 300_000).toISOString(),
    version: 1,
    screen: { id: 'screen', name: 'Bench', hostname: 'screen', timezone: 'Europe/London', config },
    playlists: [
      {
        id: 'all',
        title: 'All',
        predicate: 'TRUE',
        priority: false,
        is_enabled: true,
        transitions: true,
        items: files.map(({ name, sha256, sizeBytes }, position) => ({
          id: `item-${position}`,
          position,
          duration: 10,
          asset: {
            id: `asset-${position}`,
            type: 'image',
            title: name,
            asset_url: `${origin}/files/${name}`,
            md5: 'skip_md5',
            sha256,
            size: sizeBytes,
            headers: {},
            status: 'finished',
          },
        })),
      },
    ],
  });
}

/** Settings, facts and content of a screen of its own. */
export async function openScreenContent(origin: string, state: string, caFile = '/ca.pem') {
  const settings = parseSettings(
    'settings.json',
    JSON.stringify({
      server: { origin, caFile },
      identity: { deviceCaFile: caFile, hostname: 'screen' },
      state: { directory: state },
      store: { reserveBytes: 0 },
    }),
    {},
  );
  const { problems: _, blanked: __, ...facts } = playingFacts;
  let items = 0;
  const book = createFactBook({ ...facts, program: null }, settings.policy, Date.now, (snapshot) => {
    items = snapshot.state === 'playing' ? snapshot.program.items.length : 0;
  });
  await mkdir(state, { recursive: true, mode: 0o700 });
  const content = await openContent(settings, book, silentLog);
  return { settings, content, itemsShown: () => items };
}

interface Screen {
  sync(): Promise<string>;
  requests(): number;
  close(): Promise<void>;
}

async function openPlayer(
  nginx: Nginx,
  caFile: string,
  identity: { readonly key: Parameters<typeof clientCertificate>[1]; readonly certificateChain: string },
  state: string,
): Promise<Screen> {
  const { settings, content } = await openScreenContent(nginx.url, state, caFile);
  let requests = 0;
  const client = createOriginClient(
    nginx.url,
    apiConnector(settings, () => identity),
  );
  const api: OriginClient = {
    ...client,
    call: (call) => {
      requests++;
      return client.call(call);
    },
    open: (...call) => {
      requests++;
      return client.open(...call);
    },
  };
  const rests = createRests(() => performance.now());
  return {
    sync: async () => {
      const ports = {
        download: (tag: string | undefined) => downloadPlaylist(api, tag),
        unanswered: () => {},
        askAgain: (over: AbortSignal) =>
          new Promise<void>((_, reject) => over.addEventListener('abort', () => reject(over.reason))),
        ...content.syncPorts({ api, foreign: () => api, rests }),
      };
      return (await sync(ports, content.known(), never)).type;
    },
    requests: () => requests,
    close: async () => {
      content.close();
      await client.close();
    },
  };
}

async function measurePoll(screen: Screen): Promise<{ requests: number; cpuMs: number }> {
  for (let warm = 0; warm < 20; warm++) await screen.sync();
  const [cpuBefore, requestsBefore] = [process.cpuUsage(), screen.requests()];
  for (let poll = 0; poll < POLLS; poll++)
    if ((await screen.sync()) !== 'unchanged') throw new Error('a poll found a change');
  const { user, system } = process.cpuUsage(cpuBefore);
  return { requests: (screen.requests() - requestsBefore) / POLLS, cpuMs: (user + system) / 1_000 / POLLS };
}

async function softwareIdentity(folder: string, clients: ReturnType<typeof authorities>['clients']) {
  const { privateKey, publicKey } = createKey();
  const { pem } = clients.issue({
    commonName: 'screen',
    publicKey,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    purposes: ['clientAuth'],
  });
  const [certificateFile, keyFile] = [join(folder, 'screen.pem'), join(folder, 'screen.key')];
  await writeFile(certificateFile, pem);
  await writeFile(keyFile, keyPem(privateKey), { mode: 0o600 });
  return { certificateFile, keyFile };
}

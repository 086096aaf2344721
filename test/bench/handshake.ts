import { once } from 'node:events';
import { connect as connectNode, createSecureContext } from 'node:tls';
import { connect, openTpm, type SigningKey, softwareKey } from 'node-tss';
import { createKey, keyPem } from '../support/certificates.ts';
import { startNginx } from '../support/nginx.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';

/** One client of the comparison; milliseconds from the call to a finished handshake, name and TCP included. */
export interface HandshakeRow {
  readonly client: string;
  readonly runs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
}

export interface HandshakeBench {
  readonly rows: readonly HandshakeRow[];
  /** Medians of node-tss against Node's `tls` with a software key, same nginx, same run. */
  readonly ratios: { readonly tpm_vs_node_software: number; readonly software_vs_node_software: number };
}

const DEFAULT_RUNS = 200;
const WARM_UP_RUNS = 10;

interface Client {
  readonly name: string;
  /** One full TLS 1.3 handshake with client authentication. @returns milliseconds. @throws Error if it was not full */
  handshake(): Promise<number>;
}

/**
 * Sequential full TLS 1.3 handshakes against one nginx that verifies client certificates, the clients taking turns.
 * @param options.runs handshakes of each client, 200 where absent
 */
export async function handshakeBench(options: { readonly runs?: number } = {}): Promise<HandshakeBench> {
  const runs = options.runs ?? DEFAULT_RUNS;
  const { servers, clients } = authorities();
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti });
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  try {
    const pem = keyPem(createKey().privateKey);
    const inSoftware = softwareKey(pem);
    const certificate = clientCertificate(clients, inSoftware);
    const inTpm = await tpm.loadKey(await tpm.createKey());
    const common = { ca: servers.certificatePem, port: nginx.port };
    const contestants: Client[] = [
      nodeTss('node-tss, TPM key', inTpm, clientCertificate(clients, inTpm), common),
      nodeTss('node-tss, software key', inSoftware, certificate, common),
      nodeTls('Node tls, software key', pem, certificate, common),
    ];
    const times = await race(contestants, runs);
    const rows = contestants.map(({ name }, i) => summary(name, times[i] ?? []));
    const [tpmRow, softwareRow, nodeRow] = rows as [HandshakeRow, HandshakeRow, HandshakeRow];
    return {
      rows,
      ratios: {
        tpm_vs_node_software: round(tpmRow.medianMs / nodeRow.medianMs),
        software_vs_node_software: round(softwareRow.medianMs / nodeRow.medianMs),
      },
    };
  } finally {
    await nginx.stop();
    await tpm.close();
    await emulator.stop();
  }
}

interface Common {
  readonly ca: string;
  readonly port: number;
}

function nodeTss(name: string, key: SigningKey, certificateChain: string, { ca, port }: Common): Client {
  return {
    name,
    async handshake() {
      const identity = { key, certificateChain };
      const startMs = performance.now();
      const stream = await connect({ host: '127.0.0.1', servername: 'localhost', port, ca, identity, resume: false });
      const elapsedMs = performance.now() - startMs;
      if (stream.sessionReused) throw new Error('the handshake was not a full one');
      stream.destroy();
      await once(stream, 'close');
      return elapsedMs;
    },
  };
}

function nodeTls(name: string, key: string, cert: string, { ca, port }: Common): Client {
  // Parsed once, as node-tss does: a context per connection would be no fair yardstick.
  const secureContext = createSecureContext({ ca, key, cert, minVersion: 'TLSv1.3' });
  return {
    name,
    async handshake() {
      const options = { host: '127.0.0.1', servername: 'localhost', port, secureContext };
      const startMs = performance.now();
      const socket = connectNode(options);
      await once(socket, 'secureConnect');
      const elapsedMs = performance.now() - startMs;
      if (socket.isSessionReused()) throw new Error('the handshake was not a full one');
      socket.destroy();
      await once(socket, 'close');
      return elapsedMs;
    },
  };
}

/** Milliseconds per handshake and client. They take turns, so that what disturbs the machine disturbs all of them. */
async function race(clients: readonly Client[], runs: number): Promise<number[][]> {
  const times = clients.map((): number[] => []);
  for (let run = -WARM_UP_RUNS; run < runs; run++) {
    for (const [i, client] of clients.entries()) {
      const elapsedMs = await client.handshake();
      if (run >= 0) times[i]?.push(elapsedMs);
    }
  }
  return times;
}

function summary(client: string, times: readonly number[]): HandshakeRow {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return { client, runs: sorted.length, medianMs: at(0.5), p95Ms: at(0.95) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/**
 * How long a new screen takes to its PIN, on a software TPM with a certified endorsement key: with attestation (evidence,
 * credential activation, TPM2_Certify, judged by the reference server) against the same without, in the same run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { undiciConnector } from 'node-tss';
import { certificateRequest } from '../../electron/csr/request.ts';
import { createOriginClient } from '../../electron/mtls/client.ts';
import { enrol } from '../../electron/registration/enrolment.ts';
import { openDeviceKey } from '../../electron/tpm/key.ts';
import { type Backend, startBackend } from '../backend/backend.ts';
import { silentLog } from '../support/silent-log.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { tpmMaker } from '../support/tpm-maker.ts';
import { median, quantile, rounded } from './sample.ts';

const hostname = 'screen';
const hardware = { manufacturer: '', model: '', serial: '', arch: 'x64' };

type Way = 'without' | 'with';

/** A new device key, then everything up to the PIN. @returns milliseconds of the key, and of the enrolment */
async function once(tcti: string, backend: Backend, way: Way, folder: string) {
  const files = await mkdtemp(join(folder, 'state-'));
  const at = (name: string) => join(files, name);
  const startedAt = performance.now();
  const key = await openDeviceKey({
    ...{ tcti, ownerAuth: undefined, allowSoftwareKey: false, log: silentLog },
    ...{ keyFile: at('key.pem'), attestationKeyFile: at('ak.pem'), softwareKeyFile: at('soft.pem') },
  });
  const openedAt = performance.now();
  const connector = undiciConnector({ credentials: async () => ({ caFile: backend.caFile }) });
  const transport = createOriginClient(backend.origin, connector);
  try {
    const accepted = await enrol({
      ...{ transport, hostname, playerVersion: 'bench', fingerprint: key.fingerprint, log: silentLog },
      attestor: way === 'with' ? key.attestor : null,
      hardware: async () => hardware,
      request: () => certificateRequest(hostname, key),
    });
    const endedAt = performance.now();
    if ((accepted.hardware?.verified ?? false) !== (way === 'with')) throw new Error('the server judged otherwise');
    return { keyMs: openedAt - startedAt, enrolMs: endedAt - openedAt };
  } finally {
    await transport.close();
    await key.close();
  }
}

export async function enrolBench({ runs = 15, narrate }: { runs?: number; narrate(text: string): void }) {
  const folder = await mkdtemp(join(tmpdir(), 'signet-enrol-'));
  const maker = tpmMaker();
  narrate('making a software TPM with a certified endorsement key');
  const tpm = await startSwtpm({ stateFolder: await maker.make() });
  const common = { registrationsPerMinute: 100_000, endorsementAuthorities: [maker.authorityPem()] };
  const servers: Readonly<Record<Way, Backend>> = {
    without: await startBackend({ ...common, stateDirectory: join(folder, 'off'), attestation: 'off' }),
    with: await startBackend({ ...common, stateDirectory: join(folder, 'required'), attestation: 'required' }),
  };
  const times: Readonly<Record<Way, { keyMs: number; enrolMs: number }[]>> = { without: [], with: [] };
  try {
    narrate(`${runs} new screens each, in turn`);
    // One round more, whose times are thrown away.
    for (let round = 0; round <= runs; round++)
      for (const way of ['without', 'with'] as const) {
        const time = await once(tpm.tcti, servers[way], way, folder);
        if (round > 0) times[way].push(time);
      }
  } finally {
    for (const server of Object.values(servers)) await server.close();
    await tpm.stop();
    maker.remove();
    await rm(folder, { recursive: true, force: true });
  }
  const row = (way: Way) => {
    const enrolMs = times[way].map((time) => time.enrolMs);
    return {
      enrolment: `${way} attestation`,
      'key ms': rounded(median(times[way].map(({ keyMs }) => keyMs))),
      'median ms': rounded(median(enrolMs)),
      'p95 ms': rounded(quantile(enrolMs, 0.95)),
    };
  };
  const [withoutMs, withMs] = (['without', 'with'] as const).map((way) =>
    median(times[way].map(({ enrolMs }) => enrolMs)),
  ) as [number, number];
  return {
    rows: [row('without'), row('with')],
    ratios: { 'enrolment with attestation / without': rounded(withMs / withoutMs) },
    values: { 'attestation adds ms': rounded(withMs - withoutMs) },
  };
}

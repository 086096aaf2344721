import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { connect, openTpm, type SigningKey, type Tpm, type TpmOptions } from 'node-tss';
import { createAuthority } from './certificates.ts';
import { type SoftwareTpm, type SoftwareTpmOptions, startSwtpm, transientObjects } from './swtpm.ts';
import { clientCertificate } from './tls-identities.ts';
import { startTpmRelay, type TpmRelay } from './tpm-relay.ts';

const execute = promisify(execFile);

/**
 * A software TPM behind a relay, so that other programs can use it while our client is connected. When the test is
 * over, every client is closed and the TPM must hold no transient object.
 */
export interface TpmRig {
  readonly emulator: SoftwareTpm;
  readonly relay: TpmRelay;
  /** A client of the relay, closed with the rig. */
  open(options?: Omit<TpmOptions, 'tcti'>): Promise<Tpm>;
  /** Run one of Debian's tpm2-tools on the relay, in the emulator's folder. @returns stdout. @throws with stderr */
  tool(name: string, ...args: readonly string[]): Promise<string>;
  /** Cut the TPM's power and give it back; nobody starts it (TPM2_Startup) yet. */
  reset(): Promise<void>;
  /** Handles of the transient objects in the TPM. */
  handles(): Promise<string[]>;
}

export async function tpmRig(context: TestContext, options: SoftwareTpmOptions = {}): Promise<TpmRig> {
  const emulator = await startSwtpm(options);
  const relay = await startTpmRelay(emulator);
  const clients: Tpm[] = [];
  const rig: TpmRig = {
    emulator,
    relay,
    async open(more) {
      const tpm = await openTpm({ tcti: relay.tcti, ...more });
      clients.push(tpm);
      return tpm;
    },
    tool: (name, ...args) => run(emulator, relay, `tpm2_${name}`, args),
    async reset() {
      await run(emulator, relay, 'swtpm_ioctl', ['--unix', `${emulator.folder}/tpm.sock.ctrl`, '-i']);
    },
    async handles() {
      // A promise settles before its worker, run dry, puts its key away; what is asked next comes after that.
      await Promise.allSettled(clients.map((tpm) => tpm.info()));
      return transientObjects(relay.tcti);
    },
  };
  context.after(async () => {
    relay.rule = () => 'pass';
    try {
      await Promise.all(clients.map((tpm) => tpm.close()));
    } finally {
      await relay.stop();
      await emulator.stop();
    }
  });
  return rig;
}

async function run(emulator: SoftwareTpm, relay: TpmRelay, program: string, args: readonly string[]): Promise<string> {
  // A preloaded sanitizer is meant for the addon; the tools hang under it.
  const env = { ...process.env, LD_PRELOAD: '', TPM2TOOLS_TCTI: relay.tcti, TSS2_LOG: 'all+none' };
  const { stdout } = await execute(program, args, { cwd: emulator.folder, env });
  return stdout;
}

/**
 * Have handshakes wait for a server that never answers, one with each key, so that the keys stay loaded.
 * Resolves once the TPM's thread has seen to all of them.
 */
export async function holdKeys(context: TestContext, ...keys: readonly SigningKey[]): Promise<void> {
  const silent = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const authority = createAuthority('Test clients');
  const ended = new AbortController();
  const handshakes = keys.map((key) => {
    const identity = { key, certificateChain: clientCertificate(authority, key) };
    const ca = authority.certificatePem;
    return connect({ host: '127.0.0.1', port, ca, identity, resume: false, signal: ended.signal });
  });
  const settled = Promise.allSettled(handshakes);
  context.after(async () => {
    ended.abort();
    await settled;
    silent.close();
  });
  for (const _ of keys) await once(silent, 'connection');
  // Jobs run in order: a signature that is made now came behind the loading.
  await Promise.all(keys.map((key) => key.sign(Buffer.alloc(32))));
}

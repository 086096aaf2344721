import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A software TPM of one's own: state folder, socket and process. */
export interface SoftwareTpm {
  /** TCTI configuration for tpm2-tss, tpm2-tools (TPM2TOOLS_TCTI) and tpm2-openssl (TPM2OPENSSL_TCTI). */
  readonly tcti: string;
  /** Socket and, unless given, state live here. */
  readonly folder: string;
  readonly process: ChildProcess;
  /**
   * End the process; folders that were not given go too. Idempotent.
   * Looks first whether the TPM is empty, as whoever used it must have left it: a raw TPM has three slots, and a
   * forgotten object locks everybody out. @throws Error naming what is left, when all is cleaned up
   * @param left handles of objects that the test put there itself, or left there on purpose
   */
  stop(left?: readonly string[]): Promise<void>;
}

export interface SoftwareTpmOptions {
  /** Keep the TPM's state here, so that a later start finds the same TPM. A fresh folder where absent. */
  readonly stateFolder?: string;
  /** Put the socket here, so that a later start is found at the same address. A fresh folder where absent. */
  readonly folder?: string;
  /** False: nobody has sent TPM2_Startup yet, as after the power of a TPM without firmware comes on. True where absent. */
  readonly started?: boolean;
}

/**
 * Start Debian's swtpm on a UNIX socket and wait until it accepts commands.
 * It serves one client at a time; a second one waits until the first has left.
 * @throws Error when swtpm is missing (Debian package `swtpm`) or ends at once
 */
export async function startSwtpm(options: SoftwareTpmOptions = {}): Promise<SoftwareTpm> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'swtpm-'));
  const state = options.stateFolder ?? join(folder, 'state');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const path = join(folder, 'tpm.sock');
  const tcti = `swtpm:path=${path}`;
  // tpm2-tss looks for the control channel at the data socket's path with `.ctrl` behind it.
  const control = `${path}.ctrl`;
  // Into a file: it speaks of every command's connection, and who measures should not be woken by that.
  const log = join(folder, 'swtpm.log');
  const words = openSync(log, 'w');
  const child = spawn(
    'swtpm',
    [
      ...['socket', '--tpm2', '--tpmstate', `dir=${state}`],
      ...['--server', `type=unixio,path=${path}`, '--ctrl', `type=unixio,path=${control}`],
      ...['--flags', options.started === false ? 'not-need-init' : 'not-need-init,startup-clear'],
    ],
    { stdio: ['ignore', 'ignore', words] },
  );
  closeSync(words);
  const exited = once(child, 'exit');
  exited.catch(() => {});
  const stop = async (left: readonly string[] = []): Promise<void> => {
    process.off('exit', kill);
    let judged: Promise<unknown> = Promise.resolve();
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      // A process that was told to end, by whomever, is not asked any more.
      if (!child.killed) judged = refuseLeftovers(tcti, left);
      await judged.catch(() => {});
      child.kill('SIGTERM');
      await exited;
    }
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    await judged;
  };
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  try {
    await Promise.race([
      // In either order: one is bound a little before the other.
      Promise.all([listening(control), listening(path)]),
      exited.then(() => {
        throw new Error(`swtpm ended: ${readFileSync(log, 'utf8').slice(-2048).trim()}`);
      }),
    ]);
  } catch (cause) {
    child.kill('SIGKILL');
    await stop();
    throw cause;
  }
  return { tcti, folder, process: child, stop };
}

// TPM2_GetCapability of TPM_CAP_HANDLES from TRANSIENT_FIRST on: what `tpm2_getcap handles-transient` sends. Not by that
// program: started while a client of this process is in the middle of a command, it would inherit the one connection
// that swtpm serves, and wait for ever behind itself.
const ASK_FOR_TRANSIENT = Buffer.from('8001000000160000017a0000000180000000000000fe', 'hex');
const HANDLES_AT = 19;
const NOT_STARTED = 0x100;

/**
 * Handles of the transient objects in a TPM, asked in its own words. A TPM that nobody has started, or started again
 * after a reset, holds none and says nothing.
 */
export async function transientObjects(tcti: string): Promise<string[]> {
  const socket = connect(tcti.replace('swtpm:path=', ''));
  try {
    await once(socket, 'connect');
    socket.write(ASK_FOR_TRANSIENT);
    const [reply] = (await once(socket, 'data', { signal: AbortSignal.timeout(20_000) })) as [Buffer];
    const rc = reply.readUInt32BE(6);
    if (rc === NOT_STARTED) return [];
    if (rc !== 0) throw new Error(`TPM2_GetCapability: 0x${rc.toString(16)}`);
    const count = reply.readUInt32BE(HANDLES_AT - 4);
    return Array.from({ length: count }, (_, i) => `0x${reply.readUInt32BE(HANDLES_AT + 4 * i).toString(16)}`);
  } finally {
    socket.destroy();
  }
}

/** @throws Error unless the TPM holds exactly these objects, at once or once what is under way is done */
async function refuseLeftovers(tcti: string, left: readonly string[]): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const found = await transientObjects(tcti);
    if (found.join() === left.join()) return;
    if (attempt < 20) await delay(50);
    else throw new Error(`transient objects in the TPM: ${words(found)}; expected: ${words(left)}`);
  }
}

function words(handles: readonly string[]): string {
  return handles.join(', ') || 'none';
}

/** Until a socket accepts: swtpm announces its readiness in no other way. */
async function listening(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return;
    } catch (cause) {
      if (attempt >= 500) throw cause;
      await delay(10);
    } finally {
      socket.destroy();
    }
  }
}

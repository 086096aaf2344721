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
  /** End the process; folders that were not given go too. Idempotent. */
  stop(): Promise<void>;
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
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill('SIGTERM');
      await exited;
    }
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
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
    await stop();
    throw cause;
  }
  return { tcti: `swtpm:path=${path}`, folder, process: child, stop };
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

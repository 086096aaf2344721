import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepting, freePort } from './tcp-port.ts';
import type { ServerIdentity } from './tls-identities.ts';

/** A TLS server that is a program of Debian's, and whose clients must show a certificate. */
export interface TlsServerProgram {
  /** In messages and in the name of its folder. */
  readonly name: string;
  /** Certificate chain and key, PEM. */
  readonly identity: ServerIdentity;
  /** Clients must show a certificate of this authority, PEM. */
  readonly clientAuthorityPem: string;
  /** Fills the folder, in which `server.pem`, `server.key` and `clients.pem` are already. @returns the command */
  prepare(folder: string, port: number): readonly [program: string, ...args: string[]];
}

export interface TlsServerProcess {
  readonly port: number;
  readonly folder: string;
  /** End the process and remove its folder. Idempotent. */
  stop(): Promise<void>;
}

const START_ATTEMPTS = 5;

/** @throws Error with the program's own words when it does not start */
export async function startTlsServer(program: TlsServerProgram): Promise<TlsServerProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(program, await freePort());
    } catch (cause) {
      // Somebody else may have taken the port between the probe and the program.
      if (attempt === START_ATTEMPTS || !/address already in use/i.test(String(cause))) throw cause;
    }
  }
}

async function start(program: TlsServerProgram, port: number): Promise<TlsServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), `${program.name}-`));
  writeFileSync(join(folder, 'server.pem'), program.identity.certificatePem);
  writeFileSync(join(folder, 'server.key'), program.identity.keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'clients.pem'), program.clientAuthorityPem);
  const [command, ...args] = program.prepare(folder, port);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4096);
  });
  const exited = once(child, 'exit');
  exited.catch(() => {});
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    await end(child, exited);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ended = exited.then(() => {
      throw new Error(`${program.name} ended: ${complaint.trim()}`);
    });
    await Promise.race([accepting(port), ended]);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { port, folder, stop };
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await exited;
}

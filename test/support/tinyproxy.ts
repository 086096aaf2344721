import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepting, freePort } from './tcp-port.ts';

export interface Tinyproxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  stop(): Promise<void>;
}

export interface TinyproxyOptions {
  /** The one port to which tunnels may go. */
  readonly connectPort: number;
  readonly username: string;
  readonly password: string;
}

/**
 * Debian's tinyproxy on a free port of 127.0.0.1, for tunnels to one port and with Basic credentials.
 * @throws Error with tinyproxy's own words when it does not start
 */
export async function startTinyproxy(options: TinyproxyOptions): Promise<Tinyproxy> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tinyproxy-'));
  const file = join(folder, 'tinyproxy.conf');
  writeFileSync(file, configuration(port, options));
  const child = spawn('/usr/bin/tinyproxy', ['-d', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-4096);
    });
  }
  const exited = once(child, 'exit');
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const ended = exited.then(() => {
    throw new Error(`tinyproxy ended: ${complaint.trim()}`);
  });
  ended.catch(() => {});
  await Promise.race([accepting(port), ended]).catch(async (cause: unknown) => {
    await stop();
    throw cause;
  });
  return { url: `http://127.0.0.1:${port}`, stop };
}

function configuration(port: number, { connectPort, username, password }: TinyproxyOptions): string {
  return `Port ${port}
Listen 127.0.0.1
Timeout 60
MaxClients 20
LogLevel Warning
BasicAuth ${username} ${password}
ConnectPort ${connectPort}
`;
}

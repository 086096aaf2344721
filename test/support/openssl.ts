import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Runs Debian's openssl. @returns its stdout. @throws Error with its stderr */
export function openssl(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, {
    encoding: 'utf8',
    input: options.input ?? '',
    env: { ...process.env, ...options.env },
  });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  return stdout;
}

export interface OpensslServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * `openssl s_server` on a free port, TLS 1.3.
 * @param args certificate, key and what else the test is about
 */
export async function startOpensslServer(args: readonly string[]): Promise<OpensslServer> {
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-tls1_3', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stderr.resume();
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    process.off('exit', stop);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await exited;
    }
  };
  process.once('exit', stop);
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^ACCEPT .*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { port: Number(port), stop };
  }
  throw new Error('openssl s_server did not start');
}

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ServerIdentity } from './tls-identities.ts';
import { startTlsServer, type TlsServerProcess } from './tls-server-process.ts';

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

/**
 * `openssl s_server` that demands client certificates and answers every request with a page about the connection.
 * @param identity certificate, or its chain, and key
 * @param clientAuthorityPem clients must show a certificate of this authority
 * @param args what else the test is about, `-tls1_3` where absent
 * @throws Error with its own words when it does not start
 */
export function startDemandingOpenssl(
  identity: ServerIdentity,
  clientAuthorityPem: string,
  args: readonly string[] = ['-tls1_3'],
): Promise<TlsServerProcess> {
  return startTlsServer({
    name: 's_server',
    identity,
    clientAuthorityPem,
    prepare(folder, port) {
      const at = (name: string) => join(folder, name);
      // s_server takes the leaf from one file and its issuers from another.
      const [, ...issuers] = readFileSync(at('server.pem'), 'utf8').split(/(?=-----BEGIN CERTIFICATE-----)/);
      writeFileSync(at('issuers.pem'), issuers.join(''));
      const chain = issuers.length > 0 ? ['-cert_chain', at('issuers.pem')] : [];
      const demand = ['-Verify', '4', '-verify_return_error', '-CAfile', at('clients.pem')];
      const own = ['-cert', at('server.pem'), '-key', at('server.key'), ...chain];
      return ['openssl', 's_server', '-accept', `127.0.0.1:${port}`, '-www', '-quiet', ...own, ...demand, ...args];
    },
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openssl } from './openssl.ts';
import { freePort } from './tcp-port.ts';

/** `openssl s_time` with a client key of the TPM, through the provider of tpm2-openssl. */
export interface OpensslSTime {
  /**
   * Sequential full TLS 1.3 connections in one process, for two to three seconds.
   * @returns milliseconds per connection, the process's start not counted; where it does not work, its own words
   */
  connect(): Promise<{ readonly connections: number; readonly meanMs: number } | string>;
  end(): void;
}

export interface SecuredBy {
  readonly tcti: string;
  /** The client's key, `TSS2 PRIVATE KEY` PEM, and its certificate. */
  readonly keyPem: string;
  readonly certificatePem: string;
  /** The server's, with Ed25519 keys: see below. */
  readonly rootPem: string;
  readonly port: number;
}

const SECONDS = 2;

// Signatures are asked of the TPM first, everything else of OpenSSL. The release in Debian 12 (1.1.1) does nothing
// else right on a TPM without resource manager: it keeps hashes there and runs out of slots; and what it is asked to
// verify it verifies there too, so that the server's chain must be of a kind that the TPM does not know.
const CONFIGURATION = `openssl_conf = all
[all]
providers = providers
alg_section = preference
[providers]
default = active
tpm2 = active
[active]
activate = 1
[preference]
default_properties = ?tpm2.signature=yes
`;

/** What hinders `openssl s_time` with a TPM's key on this machine, if anything does. */
export function whyNoSTime(): string | undefined {
  const modules = /"(.*)"/.exec(openssl(['version', '-m']))?.[1] ?? '';
  return existsSync(join(modules, 'tpm2.so')) ? undefined : `no provider of tpm2-openssl in ${modules}`;
}

/** Prepares it. Nothing is started yet. */
export function openSTime({ tcti, keyPem, certificatePem, rootPem, port }: SecuredBy): OpensslSTime {
  const folder = mkdtempSync(join(tmpdir(), 's_time-'));
  const files = { 'openssl.cnf': CONFIGURATION, key: keyPem, certificate: certificatePem, root: rootPem };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
  const env = { ...process.env, OPENSSL_CONF: 'openssl.cnf', TPM2OPENSSL_TCTI: tcti, TSS2_LOG: 'all+none' };
  const run = async (to: number) => {
    const identity = ['-cert', 'certificate', '-key', 'key', '-CAfile', 'root', '-verify', '1'];
    const args = ['s_time', '-connect', `127.0.0.1:${to}`, '-new', '-tls1_3', '-time', String(SECONDS), ...identity];
    const startMs = performance.now();
    const child = spawn('openssl', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-2048);
      });
    }
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, words, elapsedMs: performance.now() - startMs };
  };
  return {
    async connect() {
      // Nobody listens there: key and certificate are loaded, and the first connection ends it.
      const start = await run(await freePort());
      const { status, words, elapsedMs } = await run(port);
      const connections = Number(/(\d+) connections in \d+ real seconds/.exec(words)?.[1]);
      if (status !== 0 || !(connections > 0)) return words.trim().split('\n').slice(-2).join(' ');
      return { connections, meanMs: (elapsedMs - start.elapsedMs) / connections };
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

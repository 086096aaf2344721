import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface NginxOptions {
  /** The server's certificate and key, PEM. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Clients must show a certificate of this authority, PEM. */
  readonly clientAuthorityPem: string;
  /** Hand out session tickets; false where absent, so that every handshake is a full one. */
  readonly tickets?: boolean;
}

/** Debian's nginx as a server that demands client certificates. `GET /` answers the client's subject. */
export interface Nginx {
  readonly port: number;
  /** Bodies put under `/files/` can be read back there. */
  readonly url: string;
  /** End the process and remove its folder. Idempotent. */
  stop(): Promise<void>;
}

const START_ATTEMPTS = 5;

/** @throws Error with nginx's own words when it does not start */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options, await freePort());
    } catch (cause) {
      // Somebody else may have taken the port between the probe and nginx.
      if (attempt === START_ATTEMPTS || !String(cause).includes('Address already in use')) throw cause;
    }
  }
}

async function start(options: NginxOptions, port: number): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  for (const name of ['tmp', 'files']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'server.pem'), options.certificatePem);
  writeFileSync(join(folder, 'server.key'), options.keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'clients.pem'), options.clientAuthorityPem);
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, options.tickets ?? false));
  const child = spawn('/usr/sbin/nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
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
      throw new Error(`nginx ended: ${complaint.trim()}`);
    });
    await Promise.race([accepting(port), ended]);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { port, url: `https://localhost:${port}`, stop };
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await exited;
}

function configuration(folder: string, port: number, tickets: boolean): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, 'tmp')};`,
  );
  return `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${join(folder, 'server.pem')};
    ssl_certificate_key ${join(folder, 'server.key')};
    ssl_protocols TLSv1.3;
    ssl_client_certificate ${join(folder, 'clients.pem')};
    ssl_verify_client on;
    ssl_session_tickets ${tickets ? 'on' : 'off'};
    ssl_session_cache ${tickets ? 'shared:tests:1m' : 'off'};
    client_max_body_size 64m;
    location / { default_type text/plain; return 200 "$ssl_client_s_dn $ssl_session_reused"; }
    location /files/ { root ${folder}; dav_methods PUT; }
  }
}
`;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

async function accepting(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
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

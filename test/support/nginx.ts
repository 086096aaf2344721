import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTlsServer } from './tls-server-process.ts';

export interface NginxOptions {
  /** The server's certificate, or its chain, and key, PEM. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Clients must show a certificate of this authority, PEM. */
  readonly clientAuthorityPem: string;
  /** Hand out session tickets; false where absent, so that every handshake is a full one. */
  readonly tickets?: boolean;
  /** What it speaks; TLS 1.3 where absent. */
  readonly protocol?: 'TLSv1.2' | 'TLSv1.3';
}

/** Debian's nginx as a server that demands client certificates. `GET /` answers the client's subject. */
export interface Nginx {
  readonly port: number;
  /** Bodies put under `/files/` can be read back there. */
  readonly url: string;
  /** Where `/files/` is. */
  readonly filesFolder: string;
  /** End the process and remove its folder. Idempotent. */
  stop(): Promise<void>;
}

/** @throws Error with nginx's own words when it does not start */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { port, folder, stop } = await startTlsServer({
    name: 'nginx',
    identity: options,
    clientAuthorityPem: options.clientAuthorityPem,
    prepare(folder, port) {
      for (const name of ['tmp', 'files']) mkdirSync(join(folder, name));
      writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, options));
      return ['/usr/sbin/nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    },
  });
  return { port, url: `https://localhost:${port}`, filesFolder: join(folder, 'files'), stop };
}

function configuration(folder: string, port: number, { tickets = false, protocol = 'TLSv1.3' }: NginxOptions): string {
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
    ssl_protocols ${protocol};
    ssl_client_certificate ${join(folder, 'clients.pem')};
    ssl_verify_client on;
    ssl_verify_depth 4;
    ssl_session_tickets ${tickets ? 'on' : 'off'};
    ssl_session_cache ${tickets ? 'shared:tests:1m' : 'off'};
    client_max_body_size 64m;
    location / { default_type text/plain; return 200 "$ssl_client_s_dn $ssl_session_reused"; }
    location = /api/v2/screens/playlist { default_type application/json; alias ${join(folder, 'files', 'playlist.json')}; }
    location /files/ { root ${folder}; dav_methods PUT; }
  }
}
`;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerIdentity } from './tls-identities.ts';
import { startTlsServer, type TlsServerProcess } from './tls-server-process.ts';

/**
 * Debian's HAProxy as a server of TLS 1.3 that demands client certificates and answers every request with the
 * subject of the client's.
 * @param clientAuthorityPem clients must show a certificate of this authority
 * @throws Error with HAProxy's own words when it does not start
 */
export function startHaproxy(identity: ServerIdentity, clientAuthorityPem: string): Promise<TlsServerProcess> {
  return startTlsServer({
    name: 'haproxy',
    identity,
    clientAuthorityPem,
    prepare(folder, port) {
      const at = (name: string) => join(folder, name);
      const parts = ['server.pem', 'server.key'].map((name) => readFileSync(at(name), 'utf8'));
      writeFileSync(at('both.pem'), parts.join(''), { mode: 0o600 });
      writeFileSync(at('haproxy.cfg'), configuration(port, at('both.pem'), at('clients.pem')));
      return ['/usr/sbin/haproxy', '-db', '-f', at('haproxy.cfg')];
    },
  });
}

function configuration(port: number, certificateFile: string, authorityFile: string): string {
  return `global
  maxconn 64
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
frontend tests
  bind 127.0.0.1:${port} ssl crt ${certificateFile} ca-file ${authorityFile} verify required ssl-min-ver TLSv1.3
  http-request return status 200 content-type text/plain lf-string "%[ssl_c_s_dn]"
`;
}

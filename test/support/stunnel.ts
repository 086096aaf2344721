import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerIdentity } from './tls-identities.ts';
import { startTlsServer, type TlsServerProcess } from './tls-server-process.ts';

/**
 * Debian's stunnel: TLS 1.3 in front of a server on 127.0.0.1 that speaks none, for clients with a certificate.
 * @param clientAuthorityPem clients must show a certificate of this authority
 * @param innerPort where the plain bytes go
 * @throws Error with stunnel's own words when it does not start
 */
export function startStunnel(
  identity: ServerIdentity,
  clientAuthorityPem: string,
  innerPort: number,
): Promise<TlsServerProcess> {
  return startTlsServer({
    name: 'stunnel',
    identity,
    clientAuthorityPem,
    prepare(folder, port) {
      const at = (name: string) => join(folder, name);
      writeFileSync(at('stunnel.conf'), configuration(port, innerPort, at));
      return ['/usr/bin/stunnel', at('stunnel.conf')];
    },
  });
}

function configuration(port: number, innerPort: number, at: (name: string) => string): string {
  return `foreground = yes
pid =
syslog = no
[tests]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${innerPort}
cert = ${at('server.pem')}
key = ${at('server.key')}
CAfile = ${at('clients.pem')}
verifyChain = yes
sslVersion = TLSv1.3
`;
}

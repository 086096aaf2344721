import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { undiciConnector } from 'node-tss';
import { createOriginClient, type OriginClient } from '../../electron/mtls/client.ts';
import type { Authority } from './certificates.ts';
import { serverIdentity } from './tls-identities.ts';

export interface HttpsOrigin {
  /** `https://127.0.0.1:<port>` */
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * An HTTPS server on a free port of 127.0.0.1 that asks for a client certificate
 * and lets anybody in, so that a test can see who showed one.
 */
export async function startHttpsOrigin(
  authority: Authority,
  answer: RequestListener,
  options: Pick<ServerOptions, 'keepAliveTimeout'> = {},
): Promise<HttpsOrigin> {
  const { certificatePem, keyPem } = serverIdentity(authority);
  const server = createServer(
    {
      ...options,
      cert: certificatePem,
      key: keyPem,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: false,
    },
    answer,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The player's client without a device certificate, trusting `authority`. */
export function plainClient(origin: string, authority: Authority): OriginClient {
  return createOriginClient(origin, undiciConnector({ credentials: () => ({ ca: authority.certificatePem }) }));
}

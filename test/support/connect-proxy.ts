import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ConnectProxyOptions {
  /** Who may pass; everybody where absent. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** The proxy's own name service: where a host's connections go; the host itself where absent. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Status for a target that is not let through. */
  readonly refuse?: (target: string) => number | undefined;
}

/** An HTTP proxy that opens tunnels to anywhere (RFC 9110 §9.3.6), and remembers for whom. */
export interface ConnectProxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `host:port` of every tunnel that was opened, in order. */
  readonly tunnels: readonly string[];
  /** Status of every attempt that was refused, in order. */
  readonly refusals: readonly number[];
  /** Tunnels that are open now. */
  openTunnels(): number;
  /** Cut every tunnel. */
  cut(): void;
  stop(): Promise<void>;
}

/** A proxy on a free port of 127.0.0.1. */
export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const tunnels: string[] = [];
  const refusals: number[] = [];
  const near = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, client: Duplex, head: Buffer) => {
    const target = request.url ?? '';
    const refuse = (status: number): void => {
      refusals.push(status);
      const challenge = status === 407 ? 'Proxy-Authenticate: Basic realm="test"\r\n' : '';
      client.end(`HTTP/1.1 ${status} No\r\n${challenge}Content-Length: 2\r\n\r\nno`);
    };
    client.on('error', () => client.destroy());
    if (!admits(options.credentials, request.headers['proxy-authorization'])) return refuse(407);
    const refused = options.refuse?.(target);
    if (refused !== undefined) return refuse(refused);
    const { hostname, port } = new URL(`tcp://${target}`);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const server = connect(Number(port), options.hosts?.[host] ?? host);
    server.once('error', () => (near.has(client) ? client.destroy() : refuse(502)));
    server.once('connect', () => {
      tunnels.push(target);
      near.add(client);
      client.write('HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n');
      server.write(head);
      join(client, server);
      client.once('close', () => near.delete(client));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const client of near) client.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    refusals,
    openTunnels: () => near.size,
    cut,
    stop: async () => {
      cut();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function join(client: Duplex, server: Socket): void {
  client.pipe(server);
  server.pipe(client);
  client.once('close', () => server.destroy());
  server.once('close', () => client.destroy());
}

function admits(wanted: ConnectProxyOptions['credentials'], given: string | undefined): boolean {
  if (wanted === undefined) return true;
  return given === `Basic ${Buffer.from(`${wanted.username}:${wanted.password}`).toString('base64')}`;
}

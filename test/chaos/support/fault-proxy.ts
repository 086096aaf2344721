/** A wire between player and server that a test can cut, clog or replace, at the level of TCP. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Wire =
  | { readonly type: 'whole' }
  /** Every connection is reset, old and new. */
  | { readonly type: 'reset' }
  /** Connections are taken, and nothing comes or goes. */
  | { readonly type: 'stall' }
  /** So many bytes a second in each direction of a connection. */
  | { readonly type: 'slow'; readonly bytesPerSecond: number }
  /** Of the segments this share is lost: the sender waits 200 ms, then twice as long each time (RFC 6298). */
  | { readonly type: 'lossy'; readonly lost: number; random(): number }
  /** Somebody else answers, in plain HTTP, and points to a login page. */
  | { readonly type: 'portal' };

const segmentBytes = 1_400;
const firstRetransmissionMs = 200;
const portalPage = '<html><body>Welcome! Please log in.</body></html>';

export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #wire: Wire = { type: 'whole' };
  /** Those that led to the server. */
  connections = 0;
  /** Requests that came without TLS while somebody else answered. */
  plainRequests = 0;
  /** Bytes that were handed on to players. */
  carriedBytes = 0;
  /** Port that new connections lead to. */
  target: () => number;

  private constructor(server: Server, port: number, target: () => number) {
    this.target = target;
    this.#server = server;
    this.port = port;
  }

  static async start(target: () => number): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new FaultProxy(server, (server.address() as AddressInfo).port, target);
    server.on('connection', (client) => proxy.#take(client, proxy.target()));
    return proxy;
  }

  get wire(): Wire {
    return this.#wire;
  }

  set wire(wire: Wire) {
    this.#wire = wire;
    if (wire.type === 'reset' || wire.type === 'portal') this.#resetAll();
    for (const pair of this.#pairs) for (const socket of pair) socket.emit('wire');
  }

  /** Reset every connection that there is; new ones go through. */
  cut(): void {
    this.#resetAll();
  }

  async close(): Promise<void> {
    this.#resetAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #resetAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  #take(client: Socket, targetPort: number): void {
    client.on('error', () => undefined);
    if (this.#wire.type === 'reset') return void client.resetAndDestroy();
    if (this.#wire.type === 'portal') {
      client.once('data', (first: Buffer) => {
        if (/^[A-Z]+ /.test(first.toString('latin1'))) this.plainRequests++;
        client.end(
          `HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: ${portalPage.length}\r\n\r\n${portalPage}`,
        );
      });
      return;
    }
    this.connections++;
    const server = connect(targetPort, '127.0.0.1');
    server.on('error', () => undefined);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.once('close', end);
    server.once('close', end);
    void this.#carry(client, server).catch(() => undefined);
    void this.#carry(server, client, true).catch(() => undefined);
  }

  async #carry(from: Socket, to: Socket, counts = false): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const wire = this.#wire;
        const size = wire.type === 'whole' ? chunk.length : segmentBytes;
        const piece = chunk.subarray(at, at + size);
        at += piece.length;
        await this.#delay(from, piece.length);
        if (to.destroyed) return;
        if (counts) this.carriedBytes += piece.length;
        if (!to.write(piece))
          await new Promise((resolve) => {
            to.once('drain', resolve);
            to.once('close', resolve);
          });
      }
    }
    to.end();
  }

  async #delay(socket: Socket, bytes: number): Promise<void> {
    const wire = this.#wire;
    if (wire.type === 'slow') await sleep((bytes / wire.bytesPerSecond) * 1_000);
    if (wire.type === 'lossy') {
      let waitMs = firstRetransmissionMs;
      for (; wire.random() < wire.lost && this.#wire === wire; waitMs *= 2) await sleep(waitMs);
    }
    while (this.#wire.type === 'stall' && !socket.destroyed)
      await new Promise<void>((resolve) => {
        socket.once('wire', resolve);
        socket.once('close', resolve);
      });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface SplitRelay {
  readonly port: number;
  /** Offsets into what the server sends at which the next connection's bytes are cut; sorted. */
  cutAt(offsets: Iterable<number>): void;
  /** How many bytes of the server the latest connection has carried so far. */
  carriedBytes(): number;
}

/**
 * A relay in front of a port of 127.0.0.1 that hands the server's bytes over in pieces: the next piece leaves only
 * when this process's client has taken the one before out of the kernel, so that TCP does not join them again.
 */
export async function startSplitRelay(context: TestContext, serverPort: number): Promise<SplitRelay> {
  const clients = new Set<Socket>();
  const onClient = (event: unknown): void => {
    const { socket } = event as { socket: Socket };
    clients.add(socket);
    socket.once('close', () => clients.delete(socket));
  };
  subscribe('net.client.socket', onClient);
  let cuts: Iterable<number> = [];
  let carriedBytes = 0;
  const relay = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const client = [...clients].find(({ localPort }) => localPort === near.remotePort);
    if (client === undefined) throw new Error('the client is not of this process');
    const far = connect({ port: serverPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far);
    carriedBytes = 0;
    const forward = async (piece: Buffer): Promise<void> => {
      near.write(piece);
      carriedBytes += piece.length;
      while (client.bytesRead < carriedBytes && !client.destroyed) await nextTurn();
    };
    carry(far, forward, cuts).then(
      () => near.end(),
      () => near.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  context.after(() => {
    unsubscribe('net.client.socket', onClient);
    relay.close();
  });
  return {
    port: (relay.address() as AddressInfo).port,
    cutAt(offsets) {
      cuts = offsets;
    },
    carriedBytes: () => carriedBytes,
  };
}

async function carry(
  from: AsyncIterable<Buffer>,
  forward: (piece: Buffer) => Promise<void>,
  cuts: Iterable<number>,
): Promise<void> {
  const offsets = cuts[Symbol.iterator]();
  let cut = offsets.next();
  let doneBytes = 0;
  for await (const chunk of from) {
    let at = 0;
    while (at < chunk.length) {
      while (!cut.done && cut.value <= doneBytes) cut = offsets.next();
      const end = cut.done ? chunk.length : Math.min(chunk.length, at + cut.value - doneBytes);
      await forward(chunk.subarray(at, end));
      doneBytes += end - at;
      at = end;
    }
  }
}

import { once } from 'node:events';
import { connect as connectNode, createSecureContext, type TLSSocket } from 'node:tls';
import { type ConnectOptions, connect, type SigningKey, type Tpm } from 'node-tss';
import { getRoot } from '../support/tls-client.ts';

/** One client of the comparison. */
export interface HandshakeClient {
  readonly name: string;
  /**
   * One connection, closed when this resolves.
   * @returns milliseconds from the call to the end of the handshake, TCP included
   * @throws Error if it was resumed and should have been full, or the other way round
   */
  handshake(): Promise<number>;
}

/** The server, and whether its sessions are resumed. */
export interface Course {
  readonly port: number;
  readonly ca: string;
  readonly resumed: boolean;
}

/** `tpm` is waited for after each handshake, so that what it still has to do burdens nobody else. */
export function nodeTssClient(
  name: string,
  identity: { readonly key: SigningKey; readonly certificateChain: string },
  { port, ca, resumed }: Course,
  tpm?: Tpm,
): HandshakeClient {
  const options: ConnectOptions = { host: '127.0.0.1', servername: 'localhost', port, ca, identity, resume: resumed };
  let isFirst = true;
  return {
    name,
    async handshake() {
      const startMs = performance.now();
      const stream = await connect(options);
      const elapsedMs = performance.now() - startMs;
      if (stream.sessionReused !== (resumed && !isFirst)) throw new Error(`${name}: resumed or not, but not as meant`);
      isFirst = false;
      // The ticket for the next time comes before the answer.
      if (resumed) {
        stream.write(getRoot);
        await once(stream.resume(), 'end');
      }
      stream.destroy();
      if (!stream.closed) await once(stream, 'close');
      await tpm?.info();
      return elapsedMs;
    },
  };
}

/** Node's own TLS with a software key: PEM, parsed once, as node-tss does. */
export function nodeTlsClient(
  name: string,
  identity: { readonly key: string; readonly cert: string },
  { port, ca, resumed }: Course,
): HandshakeClient {
  const secureContext = createSecureContext({ ca, ...identity, minVersion: 'TLSv1.3' });
  let session: Buffer | undefined;
  return {
    name,
    async handshake() {
      const options = { host: '127.0.0.1', servername: 'localhost', port, secureContext };
      const startMs = performance.now();
      const socket: TLSSocket = connectNode(session === undefined ? options : { ...options, session });
      await once(socket, 'secureConnect');
      const elapsedMs = performance.now() - startMs;
      if (socket.isSessionReused() !== (session !== undefined))
        throw new Error(`${name}: resumed or not, not as meant`);
      if (resumed) {
        socket.on('session', (ticket) => {
          session = ticket;
        });
        socket.write(getRoot);
        await once(socket.resume(), 'end');
        if (session === undefined) throw new Error('the server gave no ticket');
      }
      socket.destroy();
      if (!socket.closed) await once(socket, 'close');
      return elapsedMs;
    },
  };
}

/** Milliseconds per handshake and client. They take turns, so that what disturbs the machine disturbs all of them. */
export async function race(
  clients: readonly HandshakeClient[],
  options: { readonly runs: number; readonly warmUpRuns: number },
): Promise<number[][]> {
  const times = clients.map((): number[] => []);
  for (let run = -options.warmUpRuns; run < options.runs; run++) {
    for (let turn = 0; turn < clients.length; turn++) {
      // Whoever comes next finds the machine as the last one left it: the order rotates.
      const at = (turn + run + options.warmUpRuns) % clients.length;
      const elapsedMs = (await clients[at]?.handshake()) ?? Number.NaN;
      if (run >= 0) times[at]?.push(elapsedMs);
    }
  }
  return times;
}

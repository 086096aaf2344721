import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SoftwareTpm } from './swtpm.ts';

/** Command codes (TPM 2.0 part 2, §6.5.2) that tests watch for. */
export const commandCodes = {
  startup: 0x144,
  create: 0x153,
  load: 0x157,
  sign: 0x15d,
  contextLoad: 0x161,
  contextSave: 0x162,
  flushContext: 0x165,
} as const;

/** What becomes of a command: passed on, answered with a TPM_RC by the relay, or its client's line cut. */
export type Ruling = 'pass' | 'cut' | number;

/**
 * A line to a software TPM that can be listened to and disturbed, and shared: commands of several clients take
 * turns, as they do behind a TPM's driver.
 */
export interface TpmRelay {
  readonly tcti: string;
  /** Code of every command that arrived, in order. */
  readonly commands: number[];
  /** Rules on each command; all pass until a test says otherwise. */
  rule: (code: number) => Ruling | Promise<Ruling>;
  /** Run a command of nobody's on the TPM. @returns its response */
  transmit(command: Buffer): Promise<Buffer>;
  /** Connections to the TPM and of clients end. */
  stop(): Promise<void>;
}

const HEADER_BYTES = 10;

export async function startTpmRelay(emulator: Pick<SoftwareTpm, 'tcti'>): Promise<TpmRelay> {
  const target = emulator.tcti.replace('swtpm:path=', '');
  const folder = mkdtempSync(join(tmpdir(), 'tpm-relay-'));
  const path = join(folder, 'tpm.sock');
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    // An end that breaks takes the other one along; what it broke of shows at the client under test.
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  let upstream: Upstream | undefined;
  const relay: TpmRelay = {
    tcti: `swtpm:path=${path}`,
    commands: [],
    rule: () => 'pass',
    transmit: (command) => {
      if (upstream === undefined || upstream.isBroken()) upstream = openUpstream(track(connect(target)));
      return upstream.transmit(command);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([data, control].map(closed));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const data = createServer((client) => serve(track(client), relay));
  const control = createServer((client) => {
    const peer = track(connect(`${target}.ctrl`));
    track(client).pipe(peer).pipe(client);
    client.on('close', () => peer.destroy());
    peer.on('close', () => client.destroy());
  });
  data.listen(path);
  control.listen(`${path}.ctrl`);
  await Promise.all([once(data, 'listening'), once(control, 'listening')]);
  return relay;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Splits a stream into TPM messages: tag, total length, code or return code. */
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= HEADER_BYTES && bytes.length >= bytes.readUInt32BE(2)) {
      const length = bytes.readUInt32BE(2);
      yield bytes.subarray(0, length);
      bytes = bytes.subarray(length);
    }
  }
}

async function serve(client: Socket, relay: TpmRelay): Promise<void> {
  try {
    for await (const command of messages(client)) {
      const code = command.readUInt32BE(6);
      relay.commands.push(code);
      const ruling = await relay.rule(code);
      if (ruling === 'cut') break;
      client.write(ruling === 'pass' ? await relay.transmit(command) : refusal(ruling));
    }
  } catch {
    // The TPM went away; so does its client's line.
  } finally {
    client.destroy();
  }
}

function refusal(rc: number): Buffer {
  const response = Buffer.alloc(HEADER_BYTES);
  response.writeUInt16BE(0x8001, 0); // TPM_ST_NO_SESSIONS
  response.writeUInt32BE(HEADER_BYTES, 2);
  response.writeUInt32BE(rc, 6);
  return response;
}

interface Upstream {
  transmit(command: Buffer): Promise<Buffer>;
  isBroken(): boolean;
}

/** One command at a time, in the order of arrival. */
function openUpstream(socket: Socket): Upstream {
  const responses = messages(socket);
  let last: Promise<unknown> = Promise.resolve();
  return {
    isBroken: () => socket.destroyed || socket.readableEnded,
    transmit(command) {
      const response = last.then(async () => {
        socket.write(command);
        const { value, done } = await responses.next();
        if (done === true) throw new Error('the TPM hung up');
        return value;
      });
      last = response.catch(() => {});
      return response;
    },
  };
}

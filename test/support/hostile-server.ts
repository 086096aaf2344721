/** A TLS 1.3 server in single steps, so that a test can leave one out, repeat it, or say something else. */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerIdentity } from './tls-identities.ts';
import { extension, handshakeTypes, message, uint16, vector } from './tls13-messages.ts';
import {
  applicationSecrets,
  contentTypes,
  handshakeSecrets,
  RecordKeys,
  recordHeader,
  sha256,
  verifyData,
} from './tls13-secrets.ts';

// SubjectPublicKeyInfo of an X25519 key up to its 32 bytes (RFC 8410 §4).
const X25519_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const X25519_GROUP = 0x001d;
const MAX_FRAGMENT_BYTES = 16_384;

/** What a test may say differently in the ServerHello. */
export interface HelloOptions {
  readonly cipher?: number;
  readonly group?: number;
  readonly random?: Buffer;
  /** Extensions instead of supported_versions and key_share. */
  readonly extensions?: readonly Buffer[];
}

/** The server's end of one connection. Messages of the handshake enter the transcript when they are said. */
export class HostileServer {
  readonly socket: Socket;
  /** Content bytes per record, 1 … 16,384. */
  fragmentBytes = MAX_FRAGMENT_BYTES;
  readonly #identity: ServerIdentity;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #exchange = generateKeyPairSync('x25519');
  #received: Buffer = Buffer.alloc(0);
  #transcript: Buffer[] = [];
  #sessionId: Buffer = Buffer.alloc(0);
  #clientShare: Buffer = Buffer.alloc(0);
  #secrets: ReturnType<typeof handshakeSecrets> | undefined;
  #flightHash: Buffer = Buffer.alloc(0);
  #sending: RecordKeys | undefined;
  #receiving: RecordKeys | undefined;

  constructor(socket: Socket, identity: ServerIdentity) {
    this.socket = socket;
    this.#identity = identity;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /** The next record of the client, opened where there are keys. */
  async record(): Promise<{ readonly type: number; readonly content: Buffer }> {
    const header = await this.#bytes(5, 0);
    const whole = await this.#bytes(5 + header.readUInt16BE(3), 5);
    this.#received = this.#received.subarray(whole.length);
    const type = whole[0] ?? 0;
    return this.#receiving === undefined || type !== contentTypes.applicationData
      ? { type, content: whole.subarray(5) }
      : this.#receiving.open(whole);
  }

  async #bytes(count: number, already: number): Promise<Buffer> {
    while (this.#received.length < count) {
      const { value, done } = await this.#chunks.next();
      if (done) throw Object.assign(new Error(`the client left after ${already} bytes`), { code: 'ECONNRESET' });
      this.#received = Buffer.concat([this.#received, value]);
    }
    return this.#received.subarray(0, count);
  }

  /** Takes the ClientHello. */
  async clientHello(): Promise<Buffer> {
    const { content } = await this.record();
    this.#transcript.push(content);
    const at = 4 + 2 + 32;
    this.#sessionId = content.subarray(at + 1, at + 1 + content.readUInt8(at));
    // key_share (51): the client's first share must be X25519 (RFC 8446 §4.2.8).
    const share = content.indexOf(Buffer.concat([uint16(X25519_GROUP, 32)]));
    if (share < 0) throw new Error('the client offers no X25519 share');
    this.#clientShare = content.subarray(share + 4, share + 36);
    return content;
  }

  /** @returns a ServerHello of TLS 1.3, or of what the options make of it */
  serverHello(options: HelloOptions = {}): Buffer {
    const { cipher = 0x1301, group = X25519_GROUP, random = randomBytes(32) } = options;
    const share = this.#exchange.publicKey.export({ type: 'spki', format: 'der' }).subarray(X25519_PREFIX.length);
    const extensions = options.extensions ?? [
      extension(43, uint16(0x0304)),
      extension(51, uint16(group), vector(2, share)),
    ];
    const head = [uint16(0x0303), random, vector(1, this.#sessionId), uint16(cipher), Buffer.from([0])];
    return message(handshakeTypes.serverHello, ...head, vector(2, ...extensions));
  }

  /** From here on records are sealed with the keys of the handshake. */
  protectHandshake(): void {
    const publicKey = createPublicKey({
      key: Buffer.concat([X25519_PREFIX, this.#clientShare]),
      format: 'der',
      type: 'spki',
    });
    const shared = diffieHellman({ privateKey: this.#exchange.privateKey, publicKey });
    this.#secrets = handshakeSecrets(shared, sha256(...this.#transcript));
    this.#sending = new RecordKeys(this.#secrets.server);
    this.#receiving = new RecordKeys(this.#secrets.client);
  }

  encryptedExtensions(...extensions: readonly Buffer[]): Buffer {
    return message(handshakeTypes.encryptedExtensions, vector(2, ...extensions));
  }

  /** @param schemes signature schemes that the server takes, ecdsa_secp256r1_sha256 where absent */
  certificateRequest(schemes: readonly number[] = [0x0403]): Buffer {
    const algorithms = extension(13, vector(2, uint16(...schemes)));
    return message(handshakeTypes.certificateRequest, vector(1), vector(2, algorithms));
  }

  /** The server's leaf, or these bytes in place of certificates. */
  certificate(chain: readonly Buffer[] = [new X509Certificate(this.#identity.certificatePem).raw]): Buffer {
    const entries = chain.map((der) => Buffer.concat([vector(3, der), vector(2)]));
    return message(handshakeTypes.certificate, vector(1), vector(3, ...entries));
  }

  /** ecdsa_secp256r1_sha256 over the transcript (RFC 8446 §4.4.3). */
  certificateVerify(): Buffer {
    const label = Buffer.from(`${' '.repeat(64)}TLS 1.3, server CertificateVerify\0`, 'latin1');
    const content = Buffer.concat([label, sha256(...this.#transcript)]);
    const signature = sign('sha256', content, createPrivateKey(this.#identity.keyPem));
    return message(handshakeTypes.certificateVerify, uint16(0x0403), vector(2, signature));
  }

  finished(): Buffer {
    if (this.#secrets === undefined) throw new Error('Finished comes after the ServerHello');
    return message(handshakeTypes.finished, verifyData(this.#secrets.server, sha256(...this.#transcript)));
  }

  /** Sends a message of the handshake and remembers that it was said. */
  say(handshake: Buffer): void {
    this.#transcript.push(handshake);
    this.send(contentTypes.handshake, handshake);
    if (handshake[0] === handshakeTypes.finished) this.#flightHash = sha256(...this.#transcript);
  }

  /** Sends content in records of `fragmentBytes`, sealed where there are keys. */
  send(type: number, content: Buffer): void {
    this.socket.write(this.records(type, content));
  }

  /** The records that `send` would send. */
  records(type: number, content: Buffer): Buffer {
    const records: Buffer[] = [];
    for (let at = 0; at === 0 || at < content.length; at += this.fragmentBytes) {
      const fragment = content.subarray(at, at + this.fragmentBytes);
      records.push(this.seal(type, fragment));
    }
    return Buffer.concat(records);
  }

  /** One record, of any length. */
  seal(type: number, content: Buffer, paddingBytes = 0): Buffer {
    return this.#sending === undefined
      ? Buffer.concat([recordHeader(type, content.length), content])
      : this.#sending.seal(type, content, paddingBytes);
  }

  /** New keys for what is sent from here on; after a KeyUpdate that was sent. */
  updateKeys(): void {
    this.#sending?.update();
  }

  /** New keys for what is received from here on; after a KeyUpdate of the client. */
  updateClientKeys(): void {
    this.#receiving?.update();
  }

  /** The client's messages up to its Finished; then both sides have the keys of the application. */
  async clientFlight(): Promise<readonly Buffer[]> {
    const messages: Buffer[] = [];
    let rest: Buffer = Buffer.alloc(0);
    while (messages.at(-1)?.[0] !== handshakeTypes.finished) {
      const { type, content } = await this.record();
      if (type === contentTypes.alert) throw Object.assign(new Error('the client sent an alert'), { code: 'EALERT' });
      if (type === contentTypes.handshake) rest = Buffer.concat([rest, content]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUIntBE(1, 3)) {
        messages.push(rest.subarray(0, 4 + rest.readUIntBE(1, 3)));
        rest = rest.subarray(4 + rest.readUIntBE(1, 3));
      }
    }
    if (this.#secrets === undefined) throw new Error('the flight comes after the ServerHello');
    const { client, server } = applicationSecrets(this.#secrets.master, this.#flightHash);
    this.#sending = new RecordKeys(server);
    this.#receiving = new RecordKeys(client);
    return messages;
  }

  /** Everything as it should be. @returns the client's messages */
  async handshake(): Promise<readonly Buffer[]> {
    await this.playUntil('CertificateVerify');
    this.say(this.finished());
    return this.clientFlight();
  }

  /** The steps of the handshake as they should be, up to and with this one. */
  async playUntil(last: string): Promise<void> {
    for (const [name, take] of handshakeSteps) {
      await take(this);
      if (name === last) return;
    }
  }

  /** Sends as long as the client listens. @returns how many bytes it took */
  async pour(pieces: Iterable<Buffer>): Promise<number> {
    let pouredBytes = 0;
    for (const piece of pieces) {
      if (this.socket.destroyed || !this.socket.writable) break;
      pouredBytes += piece.length;
      // The client, in the same process, gets its turn.
      await nextTurn();
      if (this.socket.write(piece)) continue;
      const waiting = new AbortController();
      const happenings = ['drain', 'close'].map((event) => once(this.socket, event, { signal: waiting.signal }));
      // A reset is a close, too; the loop looks at the socket again.
      await Promise.race(happenings).catch(() => {});
      waiting.abort();
    }
    return pouredBytes;
  }
}

/** What a server does before its Finished, step by step. */
export const handshakeSteps: readonly (readonly [name: string, take: (server: HostileServer) => unknown])[] = [
  ['connection', () => {}],
  ['ClientHello', (server) => server.clientHello()],
  [
    'ServerHello',
    (server) => {
      server.say(server.serverHello());
      server.protectHandshake();
    },
  ],
  ['EncryptedExtensions', (server) => server.say(server.encryptedExtensions())],
  ['CertificateRequest', (server) => server.say(server.certificateRequest())],
  ['Certificate', (server) => server.say(server.certificate())],
  ['CertificateVerify', (server) => server.say(server.certificateVerify())],
];

/** What a client does that leaves or is dropped: the end of a script, not a fault of it. */
function isDeparture(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && /^(E[A-Z]+|ERR_STREAM_\w+)$/.test(String(thrown.code));
}

/**
 * Plays the script for every connection on a port of 127.0.0.1, until the test is over. A script that is over leaves
 * the connection open; one that throws for another reason than the client's departure fails the test.
 * @returns the port
 */
export async function startHostileServer(
  context: TestContext,
  identity: ServerIdentity,
  script: (server: HostileServer) => unknown,
): Promise<number> {
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    const play = async (): Promise<void> => {
      await script(new HostileServer(socket, identity));
    };
    play().catch((thrown) => {
      if (!isDeparture(thrown)) throw thrown;
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  context.after(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return (listener.address() as AddressInfo).port;
}

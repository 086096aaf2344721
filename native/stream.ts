import { Duplex } from 'node:stream';
import type { AddonConnection } from './addon.ts';
import type { ConnectOptions, TlsStream, TlsVersion } from './api.ts';
import { asTssError, TssError } from './error.ts';
import { letGo, networkError } from './network.ts';
import type { TcpSocket } from './tcp-socket.ts';

const NOTHING = new Uint8Array(0);
/** One call into the addon encrypts at most this much, so that a large body never stands in memory twice. */
const SLICE_BYTES = 256 * 1024;

type Done = (error?: Error | null) => void;

/** Plain bytes on this side, TLS records on the socket's. The handshake is over. */
export class SecureStream extends Duplex implements TlsStream {
  readonly alpnProtocol: string | false;
  readonly protocol: TlsVersion;
  readonly cipher: string;
  readonly peerCertificate: Buffer;
  readonly sessionReused: boolean;
  readonly #socket: TcpSocket;
  readonly #connection: AddonConnection;
  #started = false;
  #peerDone = false;
  /** A write that waits for the socket. */
  #waiting: Done | undefined;

  constructor(
    socket: TcpSocket,
    connection: AddonConnection,
    { allowHalfOpen = false, signal }: Pick<ConnectOptions, 'allowHalfOpen' | 'signal'>,
  ) {
    super({ allowHalfOpen });
    const details = connection.details();
    this.alpnProtocol = details.alpnProtocol === '' ? false : details.alpnProtocol;
    this.protocol = details.protocol;
    this.cipher = details.cipher;
    this.peerCertificate = details.peerCertificate;
    this.sessionReused = details.sessionReused;
    this.#socket = socket;
    this.#connection = connection;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#socketEnded());
    socket.on('error', (error) => {
      // The peer had said all it wanted to: what came of it is still read.
      if (!this.#peerDone) this.destroy(networkError(error));
    });
    socket.on('close', () => this.#socketClosed());
    socket.on('drain', () => this.#drained());
    socket.on('peerLeft', () => socket.resume());
    if (signal === undefined) return;
    const abort = (): void => void this.destroy(asError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    this.once('close', () => signal.removeEventListener('abort', abort));
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  ref(): this {
    this.#socket.ref();
    return this;
  }

  unref(): this {
    this.#socket.unref();
    return this;
  }

  override _read(): void {
    if (!this.#started) {
      this.#started = true;
      // Bytes of the application may have come in one piece with the end of the handshake.
      const wanted = this.#receive(NOTHING);
      if (this.#socket.errored) this.destroy(networkError(this.#socket.errored));
      else if (this.#socket.readableEnded || this.#socket.destroyed) this.#socketEnded();
      if (!wanted) return;
    }
    if (!this.#socket.writableNeedDrain || this.#socket.peerLeft) this.#socket.resume();
  }

  /** @returns whether there is room for more */
  #receive(received: Uint8Array): boolean {
    if (this.#peerDone || this.destroyed) return false;
    const { data, output, done, failure } = this.#connection.receive(received);
    // Who has ended its direction answers nothing more, a KeyUpdate neither (RFC 8446 §6.1).
    const silent = this.#socket.writableEnded || this.#socket.peerLeft;
    const answered = output === undefined || silent || this.#socket.write(output);
    const wanted = data === undefined || this.push(data);
    // A peer that asks for answers and does not read them is not listened to either.
    if (!answered || !wanted) this.#socket.pause();
    if (failure !== undefined) this.destroy(asTssError(failure) as Error);
    if (done) {
      this.#peerDone = true;
      this.push(null);
      // What follows close_notify is read only to see the end.
      this.#socket.resume();
    }
    return answered && wanted && !done;
  }

  #socketEnded(): void {
    if (this.#peerDone || this.destroyed) return;
    this.destroy(new TssError('CONNECTION_FAILED', 'the connection ended without close_notify: it may be truncated'));
  }

  #socketClosed(): void {
    this.#socketEnded();
    // The peer's direction had ended well, but what is still to be sent has no way out any more.
    if (!this.destroyed && this.#waiting !== undefined) this.destroy(closedBeforeAllWasSent());
  }

  #drained(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
    if (!this.readableFlowing && this.readableLength >= this.readableHighWaterMark) return;
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    // Head and body of a request in one record.
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  #send(bytes: Buffer, done: Done): void {
    if (this.#socket.destroyed) {
      done(closedBeforeAllWasSent());
      return;
    }
    let roomy = true;
    let at = 0;
    try {
      for (; roomy && at < bytes.length; at += SLICE_BYTES) {
        roomy = this.#socket.write(this.#connection.send(bytes.subarray(at, at + SLICE_BYTES)));
      }
    } catch (thrown) {
      done(asTssError(thrown) as Error);
      return;
    }
    if (roomy) done();
    else this.#waiting = (error) => (error || at >= bytes.length ? done(error) : this.#send(bytes.subarray(at), done));
  }

  override _final(done: Done): void {
    this.#socket.end(this.#connection.shutdown(), () => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    const socket = this.#socket;
    // After an error, or with bytes unsent, a close_notify would pass the part for the whole.
    const whole = error === null && this.writableLength === 0 && socket.writableLength === 0;
    if (whole && !socket.destroyed && !socket.writableEnded) socket.write(this.#connection.shutdown());
    letGo(socket);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(error ?? new TssError('CONNECTION_FAILED', 'the stream was destroyed'));
    done(error);
  }
}

function closedBeforeAllWasSent(): TssError {
  return new TssError('CONNECTION_FAILED', 'the connection closed before everything was sent');
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new TssError('CONNECTION_FAILED', 'aborted', { cause: reason });
}

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type AddonConnection, addon } from './addon.ts';
import type { ConnectOptions, TlsStream } from './api.ts';
import { contextFor } from './contexts.ts';
import { asTssError, TssError, translated } from './error.ts';
import { letGo, networkError } from './network.ts';
import { SecureStream } from './stream.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** A server's flight is a few KiB; its chain is limited to 64 KiB by itself. */
const MAX_HANDSHAKE_BYTES = 256 * 1024;

/**
 * Connect and verify: TLS 1.3 only, the server's name and chain are always checked. With an identity the client
 * certificate is offered; its refusal reaches the stream as SERVER_REFUSED_CERTIFICATE, because in TLS 1.3 a client
 * is done before the server has judged it (RFC 8446 §4.6.2).
 * @throws TssError, or the signal's reason
 */
export async function connect(options: ConnectOptions): Promise<TlsStream> {
  options.signal?.throwIfAborted();
  if (!Number.isInteger(options.port) || options.port < 1 || options.port > 65_535) {
    throw new TssError('ARGUMENT_INVALID', `${options.port} is no TCP port`);
  }
  const name = options.servername ?? options.host;
  const peer = options.resume === false ? '' : `${options.host}:${options.port}/${name}`;
  const connection = translated(
    () =>
      new addon.TlsConnection(
        contextFor(options),
        name,
        isIP(name) !== 0,
        alpnOnWire(options.alpn ?? []),
        options.verifyAt,
        peer,
      ),
  );
  const hello = translated(() => connection.start());
  const socket = connectTcp({ host: options.host, port: options.port, noDelay: true, allowHalfOpen: true });
  await handshake(socket, hello, connection, options);
  return new SecureStream(socket, connection);
}

/** ProtocolNameList without its own length (RFC 7301 §3.1). */
function alpnOnWire(protocols: readonly string[]): Buffer {
  return Buffer.concat(
    protocols.map((protocol) => {
      const name = Buffer.from(protocol, 'latin1');
      if (name.length === 0 || name.length > 255) {
        throw new TssError('ARGUMENT_INVALID', 'an ALPN protocol has 1 to 255 bytes');
      }
      return Buffer.concat([Buffer.from([name.length]), name]);
    }),
  );
}

function handshake(socket: Socket, hello: Buffer, connection: AddonConnection, options: ConnectOptions): Promise<void> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    let over = false;
    let stepping = false;
    let hungUp = false;
    let receivedBytes = 0;
    const finish = (): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    };
    const fail = (reason: unknown): void => {
      if (over) return;
      finish();
      connection.abandon();
      // The one reason is enough; what the socket says while it goes down interests nobody.
      socket.on('error', () => {});
      letGo(socket);
      reject(reason);
    };
    const onAbort = (): void => {
      socket.destroy();
      fail(signal?.reason);
    };
    const onError = (error: Error): void => fail(networkError(error));
    const onEnd = (): void => {
      // What came before the end is judged first: it says why.
      hungUp = true;
      if (!stepping) fail(new TssError('CONNECTION_FAILED', 'the server hung up during the handshake'));
    };
    const onData = (chunk: Buffer): void => {
      socket.pause();
      receivedBytes += chunk.length;
      if (receivedBytes > MAX_HANDSHAKE_BYTES) {
        fail(new TssError('TLS_PROTOCOL', 'the handshake is longer than any handshake'));
        return;
      }
      stepping = true;
      connection.advance(chunk).then(
        ({ output, done, failure }) => {
          stepping = false;
          if (over) return;
          if (output !== undefined) socket.write(output);
          if (failure !== undefined) {
            fail(asTssError(failure));
          } else if (done) {
            finish();
            resolve();
          } else if (hungUp) {
            onEnd();
          } else {
            socket.resume();
          }
        },
        (thrown) => fail(asTssError(thrown)),
      );
    };
    const timer = setTimeout(() => {
      socket.destroy();
      fail(new TssError('CONNECTION_TIMEOUT', `no connection within ${timeoutMs} ms`));
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    socket.write(hello);
  });
}

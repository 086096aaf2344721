import { isIP, type Socket } from 'node:net';
import { type AddonConnection, addon } from './addon.ts';
import type { ConnectOptions, TlsStream } from './api.ts';
import { beginAttempt } from './attempt.ts';
import { contextFor } from './contexts.ts';
import { converse } from './dialogue.ts';
import { asTssError, settled, TssError, translated } from './error.ts';
import { letGo, networkError } from './network.ts';
import { proxyRoute } from './proxy.ts';
import { openTunnel } from './proxy-tunnel.ts';
import { SecureStream } from './stream.ts';
import { openTcpSocket } from './tcp-socket.ts';

/** A server's flight is a few KiB; its chain is limited to 64 KiB by itself. */
const MAX_HANDSHAKE_BYTES = 256 * 1024;

/**
 * Connect and verify: TLS 1.3 unless 1.2 was allowed, the server's name and chain are always checked. With an
 * identity the client certificate is offered; its refusal reaches the stream as SERVER_REFUSED_CERTIFICATE, because in
 * TLS 1.3 a client is done before the server has judged it (RFC 8446 §4.6.2).
 * @throws TssError, or the signal's reason
 */
export async function connect(options: ConnectOptions): Promise<TlsStream> {
  options.signal?.throwIfAborted();
  if (!Number.isInteger(options.port) || options.port < 1 || options.port > 65_535) {
    throw new TssError('ARGUMENT_INVALID', `${options.port} is no TCP port`);
  }
  const route = proxyRoute(options);
  const connection = prepare(options);
  const { host, port } = route ?? options;
  const socket = openTcpSocket(host, port);
  // Each step hears of errors by itself, or finds them; between two steps nobody listens.
  socket.on('error', () => {});
  const attempt = beginAttempt(options);
  try {
    // Node begins to connect at the next tick; the hello's key pair is made while the network is at work.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const hello = translated(() => connection.start());
    if (route !== undefined) {
      attempt.waitsFor = 'proxy';
      await openTunnel(socket, route, options, attempt.signal);
      attempt.waitsFor = 'server';
    }
    await handshake(socket, hello, connection, attempt.signal);
    options.signal?.throwIfAborted();
  } catch (reason) {
    connection.abandon();
    if (attempt.signal.aborted) socket.destroy();
    else letGo(socket);
    throw reason;
  } finally {
    attempt.end();
  }
  return new SecureStream(socket, connection, options);
}

function prepare(options: ConnectOptions): AddonConnection {
  const name = options.servername ?? options.host;
  const peer = options.resume === false ? '' : `${options.host}:${options.port}/${name}`;
  const context = contextFor(options);
  const protocols = alpnOnWire(options.alpn ?? []);
  return translated(() => new addon.TlsConnection(context, name, isIP(name) !== 0, protocols, options.verifyAt, peer));
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

function handshake(socket: Socket, hello: Buffer, connection: AddonConnection, signal: AbortSignal): Promise<void> {
  let receivedBytes = 0;
  socket.write(hello);
  return converse(socket, signal, {
    async take(chunk) {
      receivedBytes += chunk.length;
      if (receivedBytes > MAX_HANDSHAKE_BYTES) {
        throw new TssError('TLS_PROTOCOL', 'the handshake is longer than any handshake');
      }
      let outcome = translated(() => connection.advance(chunk));
      if (outcome.wantsKey) outcome = await settled(() => connection.proceed());
      const { output, done, failure } = outcome;
      if (output !== undefined && !socket.destroyed) socket.write(output);
      if (failure !== undefined) throw asTssError(failure);
      return done;
    },
    lost: (error) =>
      error === undefined
        ? new TssError('CONNECTION_FAILED', 'the server hung up during the handshake')
        : networkError(error),
  });
}

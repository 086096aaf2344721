import { channel } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

/** Where `net.connect` announces its sockets to whoever observes a process. */
const opened = channel('net.client.socket');

type Done = (error?: Error | null) => void;

/** So long what a peer said before it left may stay unread, because its reader has no room, before it is given up. */
const LAST_WORD_PATIENCE_MS = 1000;

/** What the kernel says to a write after the peer has gone. */
function saysThatPeerLeft(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
}

/**
 * A TCP socket on which a peer that leaves has the last word. A TLS 1.3 server refuses a client certificate when the
 * client is already sending: its alert, and the reset that follows it, are here before the write that fails. Node would
 * close the socket at that write and drop the alert unread.
 */
export class TcpSocket extends Socket {
  #peerLeft = false;

  /** A write has failed because the peer is gone: no `drain` comes any more, and what it said is to be read now. */
  get peerLeft(): boolean {
    return this.#peerLeft;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: Done): void {
    super._write(chunk, encoding, (error) => this.#written(error, done));
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    super._writev?.(chunks, (error) => this.#written(error, done));
  }

  #written(error: Error | null | undefined, done: Done): void {
    if (!error || !saysThatPeerLeft(error) || this.readableEnded || this.destroyed) {
      done(error);
      return;
    }
    const giveUp = (): void => {
      clearTimeout(timer);
      this.off('end', giveUp).off('close', giveUp);
      done(error);
    };
    this.#peerLeft = true;
    this.emit('peerLeft');
    const timer = setTimeout(giveUp, LAST_WORD_PATIENCE_MS);
    this.on('end', giveUp).on('close', giveUp);
  }
}

/** Connects at once; without delays for small writes, and open for reading after `end()`. */
export function openTcpSocket(host: string, port: number): TcpSocket {
  const socket = new TcpSocket({ allowHalfOpen: true });
  if (opened.hasSubscribers) opened.publish({ socket });
  return socket.connect({ host, port, noDelay: true });
}

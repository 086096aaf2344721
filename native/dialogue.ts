import type { Socket } from 'node:net';

/** One side of a dialogue over a socket: an answer of the proxy, a handshake. */
export interface Listener {
  /** Takes what arrived; true when the dialogue is over. Asked again only once it has settled. @throws what ends it */
  take(chunk: Buffer): boolean | Promise<boolean>;
  /** The reason to give when the peer, or the network (`error`), has hung up before the dialogue was over. */
  lost(error: Error | undefined): unknown;
}

/**
 * Read a socket until a listener has what it wants. Leaves the socket paused and without listeners of its own.
 * @throws what the listener throws, or the signal's reason
 */
export function converse(socket: Socket, signal: AbortSignal, listener: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    let busy = false;
    let loss: { readonly error: Error | undefined } | undefined;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      socket.pause();
      socket.off('data', onData).off('end', onLoss).off('close', onLoss).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (reason: unknown): void => finish(() => reject(reason));
    const onAbort = (): void => fail(signal.reason);
    // What came before the loss is judged first: it says why.
    const lose = (error: Error | undefined): void => {
      loss ??= { error };
      if (!busy) fail(listener.lost(loss.error));
    };
    const onError = (error: Error): void => lose(error);
    const onLoss = (): void => lose(undefined);
    const taken = (done: boolean): void => {
      busy = false;
      if (over) return;
      if (done) finish(resolve);
      else if (loss !== undefined) fail(listener.lost(loss.error));
      else socket.resume();
    };
    const onData = (chunk: Buffer): void => {
      socket.pause();
      busy = true;
      Promise.resolve(chunk)
        .then((bytes) => listener.take(bytes))
        .then(taken, fail);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).on('end', onLoss).on('close', onLoss).on('error', onError);
    if (signal.aborted) onAbort();
    else if (socket.destroyed || socket.readableEnded) lose(socket.errored ?? undefined);
    else socket.resume();
  });
}

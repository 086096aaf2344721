import { addon } from './addon.ts';
import { TssError, translated } from './error.ts';

/** Longest message, bytes: a service manager reads that much at a time. */
const LONGEST_BYTES = 4_096;

/**
 * Tell a service manager something, as sd_notify(3) does: one datagram. Node has no such sockets.
 * @param socket what NOTIFY_SOCKET says: an absolute path, or `@name` for an abstract socket
 * @param state lines such as `READY=1` or `WATCHDOG=1`
 * @throws TssError ARGUMENT_INVALID, CONNECTION_FAILED when nobody takes it
 */
export function notify(socket: string, state: string): void {
  if (
    typeof socket !== 'string' ||
    typeof state !== 'string' ||
    state === '' ||
    Buffer.byteLength(state) > LONGEST_BYTES
  )
    throw new TssError('ARGUMENT_INVALID', `the state must be text of 1 to ${LONGEST_BYTES} bytes`);
  translated(() => addon.notify(socket, state));
}

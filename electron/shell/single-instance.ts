import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { PlayerError } from '../errors.ts';

/**
 * Hold the state folder for this process: a second player on the same folder is refused.
 * An abstract socket (unix(7)) is the lock, because the kernel lets go of it with the
 * process, whatever killed it, and no host name or stale file can keep a sign dark.
 * @throws PlayerError STATE_LOCKED
 */
export async function holdStateFolder(directory: string): Promise<void> {
  // Two spellings of one folder are one folder.
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EADDRINUSE') reject(cause);
      else reject(new PlayerError('STATE_LOCKED', `${directory}: another player uses it: stop that one first`, cause));
    });
    server.listen(`\0signet-player-${name}`, resolve);
  });
  server.unref();
}

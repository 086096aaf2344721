import { open } from 'node:fs/promises';
import type { ProxyCredentials, ProxyOptions } from 'node-tss';
import { PlayerError } from '../errors.ts';
import type { Settings } from '../settings.ts';

const longestBytes = 1024;
/** Every permission beyond 0640: the group may read, nobody else anything. */
const tooOpen = 0o137;

/**
 * The proxy that the settings name, its credentials read anew: they may change while the player runs.
 * @throws PlayerError SETTINGS_INVALID naming key, file and remedy, never what the file holds
 */
export async function proxyOf({ proxy }: Pick<Settings, 'proxy'>): Promise<ProxyOptions | undefined> {
  if (proxy === undefined) return undefined;
  const { url, bypass, credentialsFile } = proxy;
  if (credentialsFile === undefined) return { url, bypass };
  return { url, bypass, credentials: await readCredentials(credentialsFile) };
}

async function readCredentials(file: string): Promise<ProxyCredentials> {
  const line = (await readGuarded(file)).replace(/\r?\n$/, '');
  const colon = line.indexOf(':');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 §2 forbids them
  if (colon < 1 || /[\x00-\x1f\x7f]/.test(line)) throw refused(file, 'must hold one line user:password');
  return { username: line.slice(0, colon), password: line.slice(colon + 1) };
}

async function readGuarded(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode, size } = await handle.stat();
      // Judged by the file that is read, not by its name a moment earlier.
      if ((mode & tooOpen) !== 0) throw refused(file, `others may read or change it: chmod 0640 ${file}`);
      if (size > longestBytes) throw refused(file, `longer than ${longestBytes} bytes`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof PlayerError) throw thrown;
    throw refused(file, (thrown as NodeJS.ErrnoException).code ?? 'unreadable', thrown);
  }
}

function refused(file: string, reason: string, cause?: unknown): PlayerError {
  return new PlayerError('SETTINGS_INVALID', `proxy.credentialsFile: ${file}: ${reason}`, cause);
}

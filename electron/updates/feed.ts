import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppImageUpdater } from 'electron-updater/out/AppImageUpdater.js';
import { PlayerError } from '../errors.ts';
import type { OriginClient } from '../mtls/client.ts';
import type { UpdateFolder } from './folder.ts';
import type { Offer } from './offer.ts';

/** The feed is a few lines, a signature one; bytes. */
const longestTextBytes = 64 * 1024;
/** A slow line may take a night for a player. */
const longestDownloadMs = 6 * 60 * 60_000;

export interface FeedParts {
  /** The folder of `latest-linux.yml`, https, ending in a slash. */
  readonly address: string;
  readonly client: Pick<OriginClient, 'call' | 'open'>;
  readonly folder: UpdateFolder;
  readonly packageName: string;
  readonly version: string;
  readonly signal: AbortSignal;
}

export interface Feed {
  /** What the feed names, not yet judged; `isNewer` by the rules of semantic versions and staged roll-outs. */
  look(): Promise<{ readonly info: unknown; readonly isNewer: boolean }>;
  /** The text of `<file>.sig`; `null` where there is none. */
  signature(file: string): Promise<string | null>;
  /** Download what `look` found; its length and digest are checked. @returns the file */
  download(offer: Offer): Promise<string>;
}

/**
 * electron-updater over the player's own connections: Chromium's, which it would use, are denied every request. It reads
 * the feed, compares versions and keeps the download in order; it installs nothing.
 */
export async function openFeed(parts: FeedParts): Promise<Feed> {
  const { address, client, folder, packageName, version, signal } = parts;
  await mkdir(folder.path, { recursive: true, mode: 0o700 });
  const config = join(folder.path, 'app-update.yml');
  await writeFile(config, 'updaterCacheDirName: downloads\n', { mode: 0o600 });
  const base = new URL(address);
  const text = async (url: URL) => {
    if (url.origin !== base.origin) throw new PlayerError('HOST_REFUSED', 'the update feed led to another origin');
    const reply = await client.call({ method: 'GET', path: url.pathname + url.search, maxBytes: longestTextBytes });
    if (reply.status === 404) return null;
    if (reply.status !== 200) throw new PlayerError('SERVER_REPLY_INVALID', `${url.pathname}: ${reply.status}`);
    return reply.text();
  };

  let due: Offer | null = null;
  const updater = new AppImageUpdater(null, {
    version,
    name: packageName,
    isPackaged: true,
    appUpdateConfigPath: config,
    userDataPath: folder.path,
    baseCachePath: folder.path,
    whenReady: () => Promise.resolve(),
    relaunch: () => undefined,
    quit: () => undefined,
    onQuit: () => undefined,
  });
  updater.logger = null;
  updater.autoDownload = false;
  updater.autoInstallOnAppQuit = false;
  updater.allowDowngrade = false;
  // It would read the running file and ask for hundreds of ranges; the network of a sign is not that dear.
  updater.disableDifferentialDownload = true;
  // The two calls that the library makes of its own `HttpExecutor`, which it makes only without an adapter.
  const executor = {
    request: async (options: { protocol?: string; hostname?: string; port?: number | string; path?: string }) => {
      const port = options.port === undefined || options.port === '' ? '' : `:${options.port}`;
      const url = new URL(`${options.protocol ?? 'https:'}//${options.hostname}${port}${options.path ?? '/'}`);
      return text(url);
    },
    download: async (url: URL, destination: string) => {
      if (due === null || url.href !== new URL(due.file, base).href)
        throw new PlayerError('HOST_REFUSED', 'the library asked for another file than the one that was judged');
      await receive(client, url, destination, due, AbortSignal.any([signal, AbortSignal.timeout(longestDownloadMs)]));
      return destination;
    },
  };
  Object.assign(updater, { httpExecutor: executor });
  updater.setFeedURL({ provider: 'generic', url: address });
  return {
    look: async () => {
      const result = await updater.checkForUpdates();
      return { info: result?.updateInfo, isNewer: result?.isUpdateAvailable === true };
    },
    signature: (file) => text(new URL(`${file}.sig`, base)),
    download: async (offer) => {
      due = offer;
      const [file] = await updater.downloadUpdate();
      if (file === undefined) throw new PlayerError('INTERNAL', 'the library named no file');
      return file;
    },
  };
}

/** One file, bounded and checked as it comes. */
async function receive(
  client: Pick<OriginClient, 'open'>,
  url: URL,
  destination: string,
  { release }: Offer,
  signal: AbortSignal,
): Promise<void> {
  const { status, body } = await client.open(url.pathname, { accept: '*/*' }, signal);
  if (status !== 200) {
    body.destroy();
    throw new PlayerError('SERVER_REPLY_INVALID', `${url.pathname}: ${status}`);
  }
  const hash = createHash('sha512');
  let bytes = 0;
  const bounded = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > release.sizeBytes) throw new PlayerError('MEDIA_LENGTH', 'the update is longer than its feed says');
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(body, bounded, createWriteStream(destination, { flags: 'wx', mode: 0o600 }), { signal });
  if (bytes !== release.sizeBytes) throw new PlayerError('MEDIA_LENGTH', 'the update is shorter than its feed says');
  if (hash.digest('base64') !== release.sha512)
    throw new PlayerError('MEDIA_DIGEST', 'the update is not what was signed');
}

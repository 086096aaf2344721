import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createFolders, realFiles } from '../../electron/cache/folders.ts';
import { emptyIndex, writeIndex } from '../../electron/cache/index-file.ts';
import { createLastGoodFile } from '../../electron/cache/last-good.ts';
import { createRests } from '../../electron/mtls/rests.ts';
import type { MediaHash } from '../../electron/playlist/playlist.ts';
import { sync } from '../../electron/playlist/sync.ts';
import { sha256 } from '../support/cache-store.ts';
import { rounded } from './sample.ts';
import { openScreenContent, playlistOf, pngHead } from './sync.ts';

/** Milliseconds and MiB with a store of 10,000 files and a playlist of as many items. */
export interface StoreFigures {
  /** From opening the store to the first item's checked bytes. */
  readonly start_ms: number;
  /** From a document's text to the program that the page is given. */
  readonly publish_ms: number;
  /** What the resident set has grown by, after the garbage is gone, where ten items were played before. */
  readonly publish_rss_mib: number;
  /** The same at its peak. */
  readonly publish_rss_peak_mib: number;
}

const FILES = 10_000;
/** What the player of `publish_…` has played before. */
const [smallItems, smallVersions] = [10, 100];
const publishWord = 'publish-apart';
const origin = 'https://signage.example';

/** A store as 10,000 syncs would have left it, and a playlist of all its files. */
export async function largeStore(): Promise<StoreFigures> {
  const state = await mkdtemp(join(tmpdir(), 'signet-large-store-'));
  try {
    const document = await fill(state);
    const startMs = performance.now();
    const { content, itemsShown } = await openScreenContent(origin, state);
    if (itemsShown() !== FILES) throw new Error(`${itemsShown()} items play`);
    const [first = ''] = document.hashes;
    const media = content.locate(first);
    if (media === null) throw new Error('the first item is not there');
    for await (const _ of content.read(media.hash, 0, media.sizeBytes - 1)) await Promise.resolve();
    const start_ms = performance.now() - startMs;

    content.close();
    const publish = await publishApart(state);
    return { start_ms: rounded(start_ms), ...publish };
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

/** Publishes the kept playlist in a process of its own, whose store has the files and whose screen shows nothing. */
async function publishApart(state: string): Promise<Omit<StoreFigures, 'start_ms'>> {
  const document = join(state, 'document.json');
  await rename(join(state, 'playlist.json'), document);
  const kept = await readFile(document, 'utf8');
  await writeFile(document, kept.slice(kept.indexOf('\n') + 1));
  const child = fork(fileURLToPath(import.meta.url), [publishWord, state, document], { execArgv: ['--expose-gc'] });
  const answer = once(child, 'message');
  const ended = once(child, 'exit');
  const [figures] = await Promise.race([answer, ended.then(() => Promise.reject(new Error('publishing failed')))]);
  await ended;
  return figures as Omit<StoreFigures, 'start_ms'>;
}

async function publish(state: string, document: string): Promise<Omit<StoreFigures, 'start_ms'>> {
  const collect = () =>
    (globalThis as unknown as { gc(how: object): void }).gc({ type: 'major', flavor: 'last-resort' });
  const { content, itemsShown } = await openScreenContent(origin, state);
  const ports = (text: string) => ({
    download: async () => ({ type: 'document', text, etag: '"1"' }) as const,
    unanswered: () => {},
    askAgain: (over: AbortSignal) =>
      new Promise<void>((_, reject) => over.addEventListener('abort', () => reject(over.reason))),
    ...content.syncPorts({
      api: { origin, call: unasked, open: unasked, close: async () => {}, retire: async () => {} },
      foreign: () => {
        throw new Error('nothing is fetched');
      },
      rests: createRests(() => performance.now()),
    }),
  });
  // It has played something small for a while, as a player has to which a large playlist comes.
  const small = JSON.parse(await readFile(document, 'utf8'));
  for (const playlist of small.playlists) playlist.items = playlist.items.slice(0, smallItems);
  for (let version = 1; version <= smallVersions; version++)
    await sync(ports(JSON.stringify({ ...small, version })), content.known());
  collect();
  const { rss } = process.memoryUsage();
  const text = (await readFile(document, 'utf8')).replace('"version":1,', `"version":${smallVersions + 1},`);
  const fromMs = performance.now();
  await sync(ports(text), content.known());
  const publish_ms = performance.now() - fromMs;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  if (itemsShown() !== FILES) throw new Error(`${itemsShown()} items play`);
  content.close();
  collect();
  const mib = (bytes: number) => rounded((bytes - rss) / 2 ** 20);
  return {
    publish_ms: rounded(publish_ms),
    publish_rss_mib: mib(process.memoryUsage().rss),
    publish_rss_peak_mib: mib(peakBytes),
  };
}

async function unasked(): Promise<never> {
  throw new Error('nothing is fetched');
}

async function fill(state: string) {
  const folders = createFolders(join(state, 'store'), realFiles);
  await folders.prepare();
  const index = emptyIndex();
  const files = [];
  for (let number = 0; number < FILES; number++) {
    const bytes = Buffer.concat([pngHead(number), Buffer.alloc(4_000, number)]);
    const hash: MediaHash = sha256(bytes);
    await mkdir(join(state, 'store', 'media', hash.slice(0, 2)), { recursive: true });
    await writeFile(folders.media(hash), bytes);
    index.media.set(hash, {
      format: 'png',
      sizeBytes: bytes.length,
      chunks: Buffer.alloc(0),
      lastUsedMs: 1,
      verifiedMs: 1,
    });
    files.push({ name: `${number}.png`, sha256: hash, sizeBytes: bytes.length });
  }
  await writeIndex(folders.indexFile, index, realFiles);
  const text = playlistOf(origin, files);
  await createLastGoodFile(join(state, 'playlist.json')).keep({ text, etag: '"1"' });
  return { text, hashes: files.map(({ sha256: hash }) => hash) };
}

// This very file, bundled, is the program of the process apart.
if (process.argv[2] === publishWord) process.send?.(await publish(process.argv[3] ?? '', process.argv[4] ?? ''));

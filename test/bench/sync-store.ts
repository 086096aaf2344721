import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createFolders, realFiles } from '../../electron/cache/folders.ts';
import { emptyIndex, writeIndex } from '../../electron/cache/index-file.ts';
import { createLastGoodFile } from '../../electron/cache/last-good.ts';
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
  /** Resident set, after the garbage is gone. */
  readonly publish_rss_mib: number;
}

const FILES = 10_000;
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

    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const text = document.text.replace('"version":1', '"version":2');
    collect();
    const rssBefore = process.memoryUsage().rss;
    const publishFromMs = performance.now();
    const ports = {
      download: async () => ({ type: 'document', text, etag: '"2"' }) as const,
      askAgain: (over: AbortSignal) =>
        new Promise<void>((_, reject) => over.addEventListener('abort', () => reject(over.reason))),
      ...content.syncPorts({
        api: { origin, call: unasked, open: unasked, close: async () => {} },
        foreign: () => {
          throw new Error('nothing is fetched');
        },
      }),
    };
    await sync(ports, content.known());
    const publish_ms = performance.now() - publishFromMs;
    content.close();
    collect();
    const publish_rss_mib = (process.memoryUsage().rss - rssBefore) / 2 ** 20;
    return {
      start_ms: rounded(start_ms),
      publish_ms: rounded(publish_ms),
      publish_rss_mib: rounded(Math.max(0, publish_rss_mib)),
    };
  } finally {
    await rm(state, { recursive: true, force: true });
  }
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

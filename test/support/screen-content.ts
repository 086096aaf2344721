import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { openContent } from '../../electron/assembly/content.ts';
import { createFactBook } from '../../electron/assembly/facts.ts';
import type { Snapshot } from '../../electron/ipc/contract.ts';
import type { OriginClient } from '../../electron/mtls/client.ts';
import { createRests } from '../../electron/mtls/rests.ts';
import { type SyncPorts, sync } from '../../electron/playlist/sync.ts';
import { parseSettings } from '../../electron/settings.ts';
import { sha256 } from './cache-store.ts';
import { recordedLog } from './recorded-log.ts';
import { playingFacts } from './screen-facts.ts';

export const apiOrigin = 'https://signage.example';
const { signal } = new AbortController();
const pictures = await Promise.all(
  ['red', 'green'].map(async (name) => {
    const bytes = await readFile(join(process.cwd(), `test/fixtures/clips/${name}.png`));
    return { name, bytes, hash: sha256(bytes) };
  }),
);
export const [red, green] = pictures as [(typeof pictures)[0], (typeof pictures)[0]];

const config = { display_rotate: 0, shuffle_playlist: false, audio_output: 'hdmi', play_history_enabled: false };
export const documentOf = (version: number, those: typeof pictures) =>
  JSON.stringify({
    now: '2027-01-01T00:00:00Z',
    deadline: '2027-01-01T00:05:00Z',
    version,
    screen: { id: 's1', name: 'Lobby', hostname: 'screen', timezone: 'Europe/London', config },
    playlists: [
      {
        id: 'p',
        title: 'p',
        predicate: 'TRUE',
        priority: false,
        is_enabled: true,
        transitions: false,
        items: those.map(({ name, bytes, hash }, position) => ({
          id: name,
          position,
          duration: 10,
          asset: {
            id: name,
            type: 'image',
            title: name,
            asset_url: `${apiOrigin}/${name}`,
            md5: 'skip_md5',
            sha256: hash,
            size: bytes.length,
            headers: {},
            status: 'finished',
          },
        })),
      },
    ],
  });
export const document = documentOf(7, pictures);
/** What the server does not have. */
export const lost = { name: 'lost', bytes: Buffer.alloc(10), hash: sha256(Buffer.from('lost')) };

/** A screen in a folder of its own that has synced the two pictures from an API that is a table. */
export async function screenContent(
  t: TestContext,
  directory?: string,
  options: {
    partialPlaylist?: 'strict' | 'progressive';
    budgetBytes?: number;
    before?: (path: string, over: AbortSignal) => Promise<void>;
  } = {},
) {
  const folder = directory ?? (await mkdtemp(join(tmpdir(), 'signet-content-')));
  if (directory === undefined) {
    // The store may be writing its index still; timers stand, and waits of the file system's own promises with them.
    t.after(() => rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 20 }));
    // Content watches the clock for as long as the process lives; these tests end before.
    t.mock.timers.enable({ apis: ['setTimeout'] });
  }
  const text = JSON.stringify({
    server: { origin: apiOrigin },
    identity: { deviceCaFile: '/ca.pem', hostname: 'screen' },
    state: { directory: folder },
  });
  const shown: Snapshot[] = [];
  const { problems: _, blanked: __, program: ___, ...facts } = playingFacts;
  const book = createFactBook(
    { ...facts, program: null },
    { whenRevoked: 'keep-playing', graceSeconds: 0 },
    () => 0,
    (snapshot) => void shown.push(snapshot),
  );
  const { log, lines } = recordedLog();
  const parsed = parseSettings('settings.json', text, {});
  const { partialPlaylist = 'strict', budgetBytes = parsed.store.budgetBytes } = options;
  const settings = {
    ...parsed,
    policy: { ...parsed.policy, partialPlaylist },
    store: { reserveBytes: 0, budgetBytes },
  };
  const content = await openContent(settings, book, log);
  const api: OriginClient = {
    origin: apiOrigin,
    call: () => Promise.reject(new Error('media are streamed')),
    open: async (path, _headers, over) => {
      await options.before?.(path, over);
      const bytes = pictures.find(({ name }) => path === `/${name}`)?.bytes;
      return { status: bytes === undefined ? 404 : 200, header: () => undefined, body: Readable.from([bytes ?? '']) };
    },
    close: async () => {},
    retire: async () => {},
  };
  const rests = createRests(() => performance.now());
  const playing = () => {
    const snapshot = shown.at(-1);
    return snapshot?.state === 'playing' ? snapshot.program.items.map(({ itemId }) => itemId) : [];
  };
  const fetch = (text = document, etag = '"7"', server: Partial<SyncPorts> = {}) =>
    sync(
      {
        download: async () => ({ type: 'document', text, etag }),
        unanswered: () => {},
        askAgain: (over) => new Promise((_, reject) => over.addEventListener('abort', () => reject(over.reason))),
        ...server,
        ...content.syncPorts({ api, foreign: () => assert.fail('no other origin is asked'), rests }),
      },
      content.known(),
      signal,
    );
  const killers = () => lines.filter((line) => line.includes('media-kills-page')).map((line) => JSON.parse(line).hash);
  return { folder, content, fetch, playing, killers, lines };
}

/**
 * A player as it must not be: it writes files under their final names, takes what has a name for whole, follows every
 * redirect with everything it has, and believes the server. The rows of the chaos suite must catch it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';

interface Item {
  readonly id: string;
  readonly asset: { readonly asset_url: string; readonly sha256: string; readonly headers?: Record<string, string> };
}

const settings = JSON.parse(readFileSync(process.argv[3] ?? '', 'utf8'));
const state: string = settings.state.directory;
const identity = {
  key: readFileSync(join(state, 'device-key.software.pem')),
  cert: readFileSync(join(state, 'certificate.pem')),
  rejectUnauthorized: false,
};
const [playlistFile, media] = [join(state, 'naive.json'), join(state, 'naive')];
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let items: Item[] = [];
let version = 0;

async function get(
  address: string,
  headers: Record<string, string>,
  take: (bytes: Buffer) => Promise<unknown>,
): Promise<void> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request(address, { ...identity, headers }, resolve)
      .once('error', reject)
      .end();
  });
  const { location } = response.headers;
  if (location !== undefined) return get(new URL(location, address).href, headers, take);
  for await (const bytes of response) await take(bytes as Buffer);
}

async function sync(): Promise<void> {
  const body: Buffer[] = [];
  await get(`${settings.server.origin}/api/v2/screens/playlist`, {}, async (bytes) => body.push(bytes));
  const document = JSON.parse(Buffer.concat(body).toString());
  const next: Item[] = document.playlists.flatMap((playlist: { items: Item[] }) => playlist.items);
  await Promise.all(
    next.map(async ({ asset }) => {
      const path = join(media, asset.sha256);
      if (existsSync(path)) return;
      const file = await open(path, 'w');
      await get(asset.asset_url, asset.headers ?? {}, (bytes) => file.write(bytes));
      await file.close();
    }),
  );
  await writeFile(playlistFile, JSON.stringify(document));
  items = next;
  if (document.version !== version) say({ event: 'playlist-published', version: document.version });
  version = document.version;
}

async function look(): Promise<never> {
  for (let turn = 0; ; turn++) {
    const item = items[turn % Math.max(1, items.length)];
    const bytes = item === undefined ? null : await readFile(join(media, item.asset.sha256)).catch(() => null);
    const actual = bytes === null ? null : createHash('sha256').update(bytes).digest('hex');
    say({ event: 'eye', itemId: item?.id ?? null, hash: item?.asset.sha256 ?? '', actual });
    await sleep(20);
  }
}

mkdirSync(media, { recursive: true });
setInterval(() => say({ event: 'vitals', rssBytes: process.memoryUsage().rss }), 250);
if (existsSync(playlistFile))
  items = JSON.parse(readFileSync(playlistFile, 'utf8')).playlists.flatMap(
    (playlist: { items: Item[] }) => playlist.items,
  );
void look();
for (;;) {
  await sync();
  await sleep(50);
}

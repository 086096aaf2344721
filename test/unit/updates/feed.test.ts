/** The library that reads the feed, over the player's own connections, against a real server. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openFeed } from '../../../electron/updates/feed.ts';
import { updateFolder } from '../../../electron/updates/folder.ts';
import { judgeOffer } from '../../../electron/updates/offer.ts';
import { placeNext } from '../../../electron/updates/placement.ts';
import { createAuthority } from '../../support/certificates.ts';
import { type HttpsOrigin, plainClient, startHttpsOrigin } from '../../support/https-origin.ts';
import { buildModule } from '../bootstrap/build-module.ts';

const options = { timeout: 60_000 };
const home = mkdtempSync(join(tmpdir(), 'signet-feed-'));
const authority = createAuthority('Updates');
const own = { packageName: 'signet-player', arch: 'x64', refused: new Set<string>() };
const file = 'signet-player-0.2.0-x86_64.AppImage';
const payload = Buffer.alloc(300_000, 'new version ');
const sha512 = createHash('sha512').update(payload).digest('base64');
let origin: HttpsOrigin;
let served: Record<string, Buffer | string> = {};
const asked: string[] = [];

async function publish(version: string, change: object = {}): Promise<void> {
  const { feedText } = await buildModule('update/statement.mjs');
  const of = { version, file, sizeBytes: payload.length, sha512, time: new Date(0), ...change };
  served = { 'latest-linux.yml': feedText(of), [file]: payload, [`${file}.sig`]: 'signed\n' };
}

before(async () => {
  process.env['APPIMAGE'] = join(home, 'player.AppImage');
  origin = await startHttpsOrigin(authority, (request, response) => {
    const name = new URL(request.url ?? '/', 'https://x').pathname.replace('/feed/', '');
    asked.push(JSON.stringify(request.headers));
    const body = served[name];
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200).end(body);
  });
});
after(async () => {
  delete process.env['APPIMAGE'];
  await origin.close();
  rmSync(home, { recursive: true });
});

async function opened(version = '0.1.0') {
  const client = plainClient(origin.origin, authority);
  after(() => client.close());
  const folder = updateFolder(join(home, 'state'));
  const signal = new AbortController().signal;
  const address = `${origin.origin}/feed/`;
  return openFeed({ address, client, folder, packageName: 'signet-player', version, signal });
}

test('what npm run sign-update writes is read, judged, downloaded and put beside the old file', options, async () => {
  await publish('0.2.0');
  const target = join(home, 'player.AppImage');
  writeFileSync(target, 'old');
  const feed = await opened();
  const { info, isNewer } = await feed.look();
  const judged = judgeOffer(info, isNewer, own);
  assert.ok('offer' in judged, JSON.stringify(judged));
  assert.equal(await feed.signature(judged.offer.file), 'signed\n');
  const downloaded = await feed.download(judged.offer);
  const next = await placeNext(downloaded, target, judged.offer.release);
  assert.equal(next, `${target}.next`);
  assert.ok(readFileSync(next).equals(payload));
  assert.equal(readFileSync(target, 'utf8'), 'old');
  rmSync(next);
  assert.ok(!asked.some((headers) => headers.includes('staging')), 'no name of this screen goes out');
});

test('the same version and an older one are not newer', options, async () => {
  await publish('0.2.0');
  for (const version of ['0.2.0', '0.3.0', '1.0.0'])
    assert.equal((await (await opened(version)).look()).isNewer, false);
});

test(
  'a feed that is not there, or is no feed, is an error to be tried again; a missing signature is none',
  options,
  async () => {
    served = {};
    const feed = await opened();
    await assert.rejects(feed.look());
    served = { 'latest-linux.yml': 'x: [' };
    await assert.rejects(feed.look());
    served = { 'latest-linux.yml': Buffer.alloc(100_000, '#') };
    await assert.rejects(feed.look());
    assert.equal(await feed.signature(file), null);
  },
);

test('a file that is shorter, longer or another than was signed is thrown away', options, async () => {
  const cases: readonly [served: Buffer, code: string][] = [
    [payload.subarray(1), 'MEDIA_LENGTH'],
    [Buffer.concat([payload, payload]), 'MEDIA_LENGTH'],
    [Buffer.alloc(payload.length, 'x'), 'MEDIA_DIGEST'],
  ];
  for (const [bytes, code] of cases) {
    await publish('0.2.0');
    served[file] = bytes;
    const feed = await opened();
    const { info, isNewer } = await feed.look();
    const judged = judgeOffer(info, isNewer, own);
    assert.ok('offer' in judged);
    await assert.rejects(feed.download(judged.offer), { code });
    const pending = join(home, 'state/updates/downloads/pending');
    assert.deepEqual(existsSync(pending) ? readdirSync(pending) : [], []);
  }
});

test('a file that changed between download and start is not started', options, async () => {
  const target = join(home, 'player.AppImage');
  const downloaded = join(home, 'downloaded');
  writeFileSync(downloaded, 'altered');
  const release = { ...own, version: '0.2.0', sizeBytes: 7, sha512 };
  await assert.rejects(placeNext(downloaded, target, release), { code: 'MEDIA_DIGEST' });
  assert.equal(existsSync(`${target}.next`), false);
});

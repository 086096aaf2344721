import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { answer, playerScheme, type SchemePorts, type ServedMedia } from '../../../electron/shell/scheme.ts';
import { servedFile } from '../../support/served-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-scheme-'));
after(() => rm(folder, { recursive: true }));
const hash = 'ab'.repeat(32);
const canary = 'CANARY';

// The page's folder with a canary in every place that a clever address might reach.
const page = join(folder, 'page');
await mkdir(join(page, 'fonts'), { recursive: true });
await mkdir(join(folder, 'media'));
for (const name of ['index.html', 'app.js', 'app.css', 'fonts/inter.woff2']) await writeFile(join(page, name), name);
for (const name of ['page/secret.txt', 'page/fonts/secret.txt', 'page/preload.cjs', 'secret.txt', `media/${hash}x`])
  await writeFile(join(folder, name), canary);
await writeFile(join(folder, 'media', hash), '0123456789');
await writeFile(join(folder, 'media', 'empty'), '');

/** A file of which the second chunk is not what it was. */
const damaged: ServedMedia = {
  sizeBytes: 10,
  headers: {},
  read: async function* (first) {
    if (first < 5) yield new Uint8Array(5);
    throw new Error('damaged');
  },
};

const ports: SchemePorts = {
  pageDirectory: page,
  pageHeaders: () => ({ 'content-type': 'text/plain' }),
  media: (wanted) => {
    if (wanted === hash) return servedFile(join(folder, 'media', hash), 10, { 'content-type': 'image/png' });
    if (wanted === '0'.repeat(64)) return servedFile(join(folder, 'media', 'empty'), 0, {});
    if (wanted === '1'.repeat(64)) return damaged;
    return null;
  },
  stream: async (id, place) => new Response(`${id.length} ${place}`),
};
const get = (url: string, init: RequestInit = {}) => answer(new Request(url, init), ports);
const medium = `player://media/${hash}`;

test('refuses every method but GET and HEAD', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
    assert.equal((await get('player://app/index.html', { method })).status, 405);
});

test('asks for a stream by an id and a number, and by nothing else', async () => {
  const id = 'ab'.repeat(16);
  assert.equal(await (await get(`player://stream/${id}/7`)).text(), '32 7');
  for (const path of [id, `${id}/`, `${id}/-1`, `${id}/7/`, `${id}/7777777777`, `${id}/x`, 'AB/7', `${id}/..%2f7`])
    assert.equal((await get(`player://stream/${path}`)).status, 404, path);
  assert.equal((await get(`player://stream/${id}/7`, { method: 'HEAD' })).status, 404);
});

test('refuses files of the folder that are not the page’s', async () => {
  for (const path of ['secret.txt', 'fonts/secret.txt', 'preload.cjs', '', 'fonts/', 'index.html/', 'INDEX.HTML'])
    assert.equal((await get(`player://app/${path}`)).status, 404, path);
});

test('refuses a page file of which the kind is not known', async () => {
  const request = new Request('player://app/app.js');
  assert.equal((await answer(request, { ...ports, pageHeaders: () => null })).status, 404);
});

test('refuses media that the store does not have, and names that are no digest', async () => {
  for (const path of ['f'.repeat(64), hash.toUpperCase(), `${hash}x`, hash.slice(1), `../media/${hash}/`, `x/${hash}`])
    assert.equal((await get(`player://media/${path}`)).status, 404, path);
});

test('refuses other hosts of the scheme', async () => {
  for (const host of ['', 'App', 'app.', 'app:1', 'media.app', 'localhost'])
    assert.equal((await get(`player://${host}/index.html`)).status, 404, host);
});

test('a refusal has no body and allows nothing', async () => {
  const reply = await get('player://app/secret.txt');
  assert.deepEqual([await reply.text(), reply.headers.get('content-security-policy')], ['', "default-src 'none'"]);
});

test('no address whatsoever yields a byte from outside', async () => {
  const parts = fc.oneof(
    fc.constantFrom('..', '.', '%2e%2e', '%2E.', '..%2f', '%5c', '\\', '%00', '//', '/', ';', '?', '#', '~', ':'),
    fc.constantFrom('app', 'media', 'fonts', 'index.html', 'secret.txt', 'preload.cjs', 'page', 'etc', 'passwd', hash),
    fc.string({ maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constant('a'.repeat(5_000)),
  );
  const path = fc.array(parts, { maxLength: 8 }).map((list) => list.join('/'));
  const address = fc
    .tuple(fc.constantFrom('player://app/', 'player://media/', 'player://app', 'player://', 'player:'), path)
    .map(([start, rest]) => `${start}${rest}`);
  const allowed = new Set(['', 'index.html', 'app.js', 'app.css', 'fonts/inter.woff2', '0123456789']);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(address, async (url) => {
      runs++;
      if (!URL.canParse(url) || new URL(url).username !== '' || new URL(url).password !== '') return;
      const reply = await get(url);
      const text = await reply.text();
      assert.ok(allowed.has(text), url);
      assert.ok(reply.ok || text === '');
    }),
    { numRuns: 10_000 },
  );
  assert.equal(runs, 10_000);
});

test('serves the page’s own files with their headers', async () => {
  for (const name of ['index.html', 'app.js', 'app.css', 'fonts/inter.woff2']) {
    const reply = await get(`player://app/${name}`);
    assert.deepEqual([reply.status, await reply.text(), reply.headers.get('content-type')], [200, name, 'text/plain']);
  }
});

test('serves media whole, in part and by head', async () => {
  for (const [init, status, text, range] of [
    [{}, 200, '0123456789', null],
    [{ headers: { range: 'bytes=2-4' } }, 206, '234', 'bytes 2-4/10'],
    [{ headers: { range: 'bytes=-1' } }, 206, '9', 'bytes 9-9/10'],
    [{ headers: { range: 'bytes=10-' } }, 416, '', 'bytes */10'],
    [{ method: 'HEAD' }, 200, '', null],
  ] as const) {
    const reply = await get(medium, init);
    assert.deepEqual(
      [reply.status, await reply.text(), reply.headers.get('content-range'), reply.headers.get('content-type')],
      [status, text, range, 'image/png'],
    );
    if (status === 200) assert.equal(reply.headers.get('content-length'), '10');
  }
});

test('refuses media that turn out to be damaged, and breaks off where they are streamed', async () => {
  const url = `player://media/${'1'.repeat(64)}`;
  await assert.rejects(get(url), 'the handler makes a 404 of it');
  const reply = await get(url, { headers: { range: 'bytes=0-' } });
  assert.equal(reply.status, 206);
  await assert.rejects(reply.arrayBuffer());
});

test('an empty file is served empty', async () => {
  const reply = await get(`player://media/${'0'.repeat(64)}`);
  assert.deepEqual([reply.status, await reply.text(), reply.headers.get('content-length')], [200, '', '0']);
});

test('the scheme never gets round the content security policy, nor runs service workers', () => {
  const { scheme, privileges } = playerScheme;
  assert.equal(scheme, 'player');
  for (const name of ['bypassCSP', 'allowServiceWorkers'])
    assert.equal((privileges as Readonly<Record<string, boolean>>)[name] ?? false, false, name);
  assert.deepEqual([privileges.standard, privileges.secure], [true, true]);
});

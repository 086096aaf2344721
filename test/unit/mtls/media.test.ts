import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OriginClient } from '../../../electron/mtls/client.ts';
import { type MediaPorts, type MediaRequest, openMedia } from '../../../electron/mtls/media.ts';
import { createRests } from '../../../electron/mtls/rests.ts';
import { scriptedOrigin } from '../../support/media-origin.ts';

const apiOrigin = 'https://api.example';
const { signal } = new AbortController();
const request = (url: string, more: Partial<MediaRequest> = {}): MediaRequest => ({
  url,
  headers: { authorization: 'secret' },
  offset: 0,
  ...more,
});

let nowMs = 0;

type Script = Parameters<typeof scriptedOrigin>[1];
const redirectTo = (location: string, status = 302) => ({ status, headers: { location } });
const fine = { status: 200, headers: { 'content-length': '5' } };

/** The API origin and one foreign origin, each with its script. */
function world(api: Script, foreign: Script = () => fine, allowHttpFor: readonly string[] = []) {
  const apiClient = scriptedOrigin(apiOrigin, api);
  const foreignClients = new Map<string, ReturnType<typeof scriptedOrigin>>();
  const ports: MediaPorts = {
    api: apiClient,
    foreign: (origin): OriginClient => {
      const client = foreignClients.get(origin) ?? scriptedOrigin(origin, foreign);
      foreignClients.set(origin, client);
      return client;
    },
    allowHttpFor,
    rests: createRests(() => nowMs),
  };
  return { ports, apiClient, foreignClients };
}

test('refuses every address that is not https, and never connects', async () => {
  const { ports, apiClient, foreignClients } = world(() => fine);
  for (const url of [
    'http://api.example/a',
    'file:///etc/passwd',
    'data:,x',
    'javascript:1',
    'player://media/a',
    'ws://api.example/',
  ])
    await assert.rejects(openMedia(ports, request(url), signal), { code: 'HOST_REFUSED' }, url);
  assert.equal(apiClient.asked.length + foreignClients.size, 0);
});

test('refuses a user and password in an address', async () => {
  for (const url of ['https://u@api.example/a', 'https://u:p@cdn.example/a'])
    await assert.rejects(openMedia(world(() => fine).ports, request(url), signal), { code: 'HOST_REFUSED' });
});

test('refuses a redirect from https to http', async () => {
  for (const target of [
    'http://api.example/b',
    'http://cdn.example/b',
    'file:///etc/passwd',
    'https://u:p@api.example/',
  ]) {
    const { ports, foreignClients } = world(() => redirectTo(target));
    await assert.rejects(openMedia(ports, request(`${apiOrigin}/a`), signal), { code: 'HOST_REFUSED' }, target);
    assert.equal(foreignClients.size, 0);
  }
});

test('refuses a redirect that leads nowhere or round and round', async () => {
  for (const target of ['https://', 'https://a b/']) {
    const { ports } = world(() => redirectTo(target));
    await assert.rejects(openMedia(ports, request(`${apiOrigin}/a`), signal), { code: 'SERVER_REPLY_INVALID' });
  }
  const { ports, apiClient } = world(() => redirectTo('/a'));
  await assert.rejects(openMedia(ports, request(`${apiOrigin}/a`), signal), { code: 'SERVER_REPLY_INVALID' });
  assert.equal(apiClient.asked.length, 6);
});

test('another origin is never asked through the client that holds the device certificate', async () => {
  for (const url of ['https://api.example.evil/a', 'https://api.example:444/a', 'https://evil.example/a?api.example']) {
    const { ports, apiClient, foreignClients } = world(() => fine);
    await openMedia(ports, request(url), signal);
    assert.equal(apiClient.asked.length, 0, url);
    assert.deepEqual([...foreignClients.keys()], [new URL(url).origin]);
  }
});

test('after a redirect to another origin neither certificate nor headers go along', async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { ports, apiClient, foreignClients } = world(() => redirectTo('https://cdn.example/b?x=1', status));
    await openMedia(ports, request(`${apiOrigin}/a`), signal);
    assert.equal(apiClient.asked[0]?.headers['authorization'], 'secret');
    assert.deepEqual(foreignClients.get('https://cdn.example')?.asked, [
      { path: '/b?x=1', headers: { 'accept-encoding': 'identity' } },
    ]);
  }
});

test('a foreign origin’s redirect to the API goes there without the device certificate and without its headers', async () => {
  const { ports, apiClient, foreignClients } = world(
    () => fine,
    (path) => (path === '/a' ? redirectTo(`${apiOrigin}/b`) : fine),
  );
  await openMedia(ports, request('https://cdn.example/a'), signal);
  assert.deepEqual(apiClient.asked, []);
  assert.deepEqual(foreignClients.get(apiOrigin)?.asked, [{ path: '/b', headers: { 'accept-encoding': 'identity' } }]);
});

test('a way from the API through a foreign origin and back does not use the device certificate again', async () => {
  const { ports, apiClient, foreignClients } = world(
    () => redirectTo('https://cdn.example/a'),
    (path) => (path === '/a' ? redirectTo(`${apiOrigin}/b`) : fine),
  );
  await openMedia(ports, request(`${apiOrigin}/first`), signal);
  assert.deepEqual(
    apiClient.asked.map(({ path }) => path),
    ['/first'],
  );
  assert.deepEqual(
    foreignClients.get(apiOrigin)?.asked.map(({ path }) => path),
    ['/b'],
  );
});

test('a redirect within the API keeps the device certificate', async () => {
  const { ports, apiClient, foreignClients } = world((path) => (path === '/a' ? redirectTo('/b') : fine));
  await openMedia(ports, request(`${apiOrigin}/a`), signal);
  assert.deepEqual([apiClient.asked.length, foreignClients.size], [2, 0]);
});

test('refuses a content encoding that was not asked for', async () => {
  for (const encoding of ['gzip', 'br', 'identity, gzip']) {
    const { ports } = world(() => ({ status: 200, headers: { 'content-encoding': encoding } }));
    await assert.rejects(openMedia(ports, request(`${apiOrigin}/a`), signal), { code: 'SERVER_REPLY_INVALID' });
  }
});

test('refuses a part that begins elsewhere than asked for, or does not say where', async () => {
  for (const range of ['bytes 0-4/10', 'bytes 6-9/10', 'bytes */10', 'bytes 5-', 'bits 5-9/10', '']) {
    const { ports } = world(() => ({ status: 206, headers: range === '' ? {} : { 'content-range': range } }));
    await assert.rejects(openMedia(ports, request(`${apiOrigin}/a`, { offset: 5 }), signal), { code: 'MEDIA_MISSING' });
  }
});

for (const [status, code] of [
  [204, 'MEDIA_MISSING'],
  [304, 'MEDIA_MISSING'],
  [401, 'MEDIA_MISSING'],
  [404, 'MEDIA_MISSING'],
  [416, 'MEDIA_MISSING'],
  [429, 'SERVER_ERROR'],
  [500, 'SERVER_ERROR'],
  [503, 'SERVER_ERROR'],
] as const)
  test(`an answer of ${status} is ${code}`, async () => {
    await assert.rejects(openMedia(world(() => ({ status })).ports, request(`${apiOrigin}/a`), signal), { code });
  });

test('asks for the rest of a file and takes it from the offset', async () => {
  const { ports, apiClient } = world(() => ({
    status: 206,
    headers: { 'content-range': 'bytes 5-9/10', etag: '"v1"' },
  }));
  const reply = await openMedia(ports, request(`${apiOrigin}/a`, { offset: 5, ifRange: '"v1"' }), signal);
  assert.deepEqual([reply.status, reply.totalBytes, reply.etag], [206, 10, '"v1"']);
  const { range, 'if-range': ifRange } = apiClient.asked[0]?.headers ?? {};
  assert.deepEqual([range, ifRange], ['bytes=5-', '"v1"']);
});

test('a server that knows no ranges sends the whole file', async () => {
  const { ports } = world(() => fine);
  const reply = await openMedia(ports, request(`${apiOrigin}/a`, { offset: 3 }), signal);
  assert.deepEqual([reply.status, reply.totalBytes], [200, 5]);
});

test('a weak entity tag or a nonsensical length is not passed on', async () => {
  for (const [etag, length] of [
    ['W/"v1"', '-5'],
    ['v1', '1e9'],
    ['"a"b"', '9'.repeat(16)],
  ] as const) {
    const { ports } = world(() => ({ status: 200, headers: { etag, 'content-length': length } }));
    const reply = await openMedia(ports, request(`${apiOrigin}/a`), signal);
    assert.deepEqual([reply.etag, reply.totalBytes], [undefined, undefined]);
  }
});

test('plain http works for an origin that is allowed by name, and for that one alone', async () => {
  const allowed = ['http://media.lan'];
  const { ports } = world(
    () => fine,
    () => fine,
    allowed,
  );
  assert.equal((await openMedia(ports, request('http://media.lan/a'), signal)).status, 200);
  for (const url of ['http://media.lan:8080/a', 'http://media.lan.evil/a'])
    await assert.rejects(openMedia(ports, request(url), signal), { code: 'HOST_REFUSED' });
});

test('a file whose server asked for a pause is not asked for before its end, five minutes at most', async () => {
  nowMs = 0;
  const { ports, apiClient } = world(() => ({ status: 503, headers: { 'retry-after': '600' } }));
  const wanted = request(`${apiOrigin}/a`);
  await assert.rejects(openMedia(ports, wanted, signal), { code: 'SERVER_ERROR', retryAfterMs: 300_000 });
  nowMs = 299_000;
  await assert.rejects(openMedia(ports, wanted, signal), { code: 'SERVER_ERROR', retryAfterMs: 1_000 });
  assert.equal(apiClient.asked.length, 1);
  nowMs = 300_000;
  await assert.rejects(openMedia(ports, wanted, signal), { code: 'SERVER_ERROR', retryAfterMs: 300_000 });
  assert.equal(apiClient.asked.length, 2);
});

test('a failure without such a wish lets a file be asked for at once', async () => {
  for (const reply of [{ status: 503 }, { status: 404, headers: { 'retry-after': '600' } }]) {
    const { ports, apiClient } = world(() => reply);
    for (const _ of [1, 2]) await assert.rejects(openMedia(ports, request(`${apiOrigin}/a`), signal));
    assert.equal(apiClient.asked.length, 2);
  }
});

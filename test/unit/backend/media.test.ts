import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { readByteRange } from '../../backend/byte-range.ts';
import { backendFor, registeredScreen } from '../../support/backend-fixture.ts';
import { send } from '../../support/player-client.ts';

test('reads byte ranges as RFC 9110 says', () => {
  const cases: [string | undefined, ReturnType<typeof readByteRange>][] = [
    ['bytes=10-', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=5-4', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['bytes=a-b', { kind: 'whole' }],
    ['bytes=0-1,3-4', { kind: 'whole' }],
    ['items=0-1', { kind: 'whole' }],
    [undefined, { kind: 'whole' }],
    ['bytes=0-0', { kind: 'part', start: 0, end: 0 }],
    ['bytes=4-', { kind: 'part', start: 4, end: 9 }],
    ['bytes=4-99', { kind: 'part', start: 4, end: 9 }],
    ['bytes=-3', { kind: 'part', start: 7, end: 9 }],
    ['bytes=-99', { kind: 'part', start: 0, end: 9 }],
  ];
  for (const [header, expected] of cases) assert.deepEqual(readByteRange(header, 10), expected, String(header));
});

test('serves media whole, in parts, and not again when it is known', async (t) => {
  const backend = await backendFor(t);
  const { identity } = await registeredScreen(backend);
  const bytes = randomBytes(200_000);
  const media = backend.addMedia('noise.png', bytes);
  const etag = `"${media.sha256}"`;
  const get = (headers: Record<string, string>) => send(backend, `/media/${media.sha256}`, { identity, headers });

  assert.equal((await send(backend, `/media/${'0'.repeat(64)}`, { identity })).status, 404);
  const beyond = await get({ range: 'bytes=200000-' });
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */200000']);

  const whole = await get({});
  assert.deepEqual([whole.status, whole.headers.etag, whole.headers['content-type']], [200, etag, 'image/png']);
  assert.ok(whole.bytes.equals(bytes));
  const part = await get({ range: 'bytes=70000-140000', 'if-range': etag });
  assert.deepEqual([part.status, part.headers['content-range']], [206, 'bytes 70000-140000/200000']);
  assert.ok(part.bytes.equals(bytes.subarray(70_000, 140_001)));
  const stale = await get({ range: 'bytes=70000-', 'if-range': '"another"' });
  assert.deepEqual([stale.status, stale.bytes.length], [200, 200_000]);
  assert.equal((await get({ 'if-none-match': etag })).status, 304);
});

test('strikes with the faults that a test orders, once each', async (t) => {
  const backend = await backendFor(t);
  const { identity } = await registeredScreen(backend);
  const media = backend.addMedia('noise.png', randomBytes(200_000));
  const path = `/media/${media.sha256}`;
  backend.failNext({ path: '/media/', status: 503, retryAfter: '7' });
  const failed = await send(backend, path, { identity });
  assert.deepEqual([failed.status, failed.headers['retry-after']], [503, '7']);
  backend.failNext({ path: '/media/', close: true });
  await assert.rejects(send(backend, path, { identity }), { code: 'ECONNRESET' });
  backend.failNext({ path: '/media/', cutAfterBytes: 90_000 });
  await assert.rejects(send(backend, path, { identity }), { code: 'ECONNRESET' });
  assert.equal((await send(backend, path, { identity })).status, 200);
  const statuses = backend.requests.filter((request) => request.path === path).map((request) => request.status);
  assert.deepEqual(statuses, [503, null, 200, 200]);
});

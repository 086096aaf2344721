import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { createOriginClient } from '../../../electron/mtls/client.ts';
import { createAuthority } from '../../support/certificates.ts';
import { plainClient, startHttpsOrigin } from '../../support/https-origin.ts';

const authority = createAuthority('Test servers');
const requests: IncomingMessage[] = [];
const json = { 'content-type': 'application/json' };
const silent: ServerResponse[] = [];
const begun: ServerResponse[] = [];
const onSilent = new EventTarget();

const routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/json': (response) => response.writeHead(200, { ...json, etag: '"1"' }).end('{"a":1}'),
  '/charset': (response) => response.writeHead(200, { 'content-type': 'Application/JSON; charset=utf-8' }).end('[]'),
  '/html': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{"a":1}'),
  '/jsonish': (response) => response.writeHead(200, { 'content-type': 'application/jsonp' }).end('{"a":1}'),
  '/untyped': (response) => response.writeHead(200).end('{"a":1}'),
  '/broken': (response) => response.writeHead(200, json).end('{"a":'),
  '/latin1': (response) => response.writeHead(200, json).end(Buffer.from('{"a":"\xe9"}', 'latin1')),
  '/redirect': (response) => response.writeHead(302, { ...json, location: '/json' }).end('{}'),
  '/large': (response) => response.writeHead(200, json).end(JSON.stringify('x'.repeat(300_000))),
  '/fits': (response) => response.writeHead(200, json).end(JSON.stringify('x'.repeat(998))),
  '/headers': (response) => response.writeHead(200, { ...json, 'x-long': 'x'.repeat(20_000) }).end('{}'),
  '/cut': (response) => {
    response.writeHead(200, { ...json, 'content-length': '100' });
    response.write('{"a"', () => response.destroy());
  },
  '/begun': (response) => {
    begun.push(response);
    response.writeHead(200).write('beginning, ');
  },
  '/hang-up': (response) => response.destroy(),
  '/silent': (response) => {
    silent.push(response);
    onSilent.dispatchEvent(new Event('request'));
  },
};

const server = await startHttpsOrigin(authority, (request, response) => {
  requests.push(request);
  routes[request.url ?? '']?.(response);
});
const client = plainClient(server.origin, authority);
after(async () => {
  await client.close();
  await server.close();
});
const get = (path: string, maxBytes?: number) =>
  client.call({ method: 'GET', path, ...(maxBytes === undefined ? {} : { maxBytes }) });

test('refuses a path that leads to another origin, before any connection', async () => {
  const before = requests.length;
  for (const path of ['//evil.example/', '/\\evil.example/', 'https://evil.example/', 'http://127.0.0.1/'])
    await assert.rejects(get(path), { code: 'HOST_REFUSED' }, path);
  assert.equal(requests.length, before);
});

test('refuses a server of another authority', async () => {
  const stranger = plainClient(server.origin, createAuthority('Other servers'));
  await assert.rejects(stranger.call({ method: 'GET', path: '/json' }), { code: 'SERVER_UNTRUSTED' });
  await stranger.close();
});

test('refuses a body that is longer than agreed', async () => {
  await assert.rejects(get('/large'), { code: 'SERVER_REPLY_TOO_LARGE' });
  await assert.rejects(get('/fits', 999), { code: 'SERVER_REPLY_TOO_LARGE' });
  assert.equal((await get('/fits', 1_000)).text().length, 1_000);
});

test('refuses headers without end', async () => {
  await assert.rejects(get('/headers'), { code: 'SERVER_REPLY_TOO_LARGE' });
});

test('refuses JSON that does not say that it is JSON', async () => {
  for (const path of ['/html', '/jsonish', '/untyped']) {
    const reply = await get(path);
    assert.throws(() => reply.json(), { code: 'SERVER_REPLY_INVALID' }, path);
    assert.throws(() => reply.jsonText(), { code: 'SERVER_REPLY_INVALID' }, path);
  }
  assert.equal((await get('/broken')).jsonText(), '{"a":', 'its words are for who parses it');
});

test('refuses JSON that is broken off or not UTF-8', async () => {
  for (const path of ['/broken', '/latin1']) {
    const reply = await get(path);
    assert.throws(() => reply.json(), { code: 'SERVER_REPLY_INVALID' }, path);
  }
});

test('refuses a body that ends before its length', async () => {
  await assert.rejects(get('/cut'), { code: 'CONNECTION_FAILED' });
});

test('a server that hangs up is a connection that failed', async () => {
  await assert.rejects(get('/hang-up'), { code: 'CONNECTION_FAILED' });
});

test('a closed port is a connection that was refused', async () => {
  const gone = await startHttpsOrigin(authority, () => {});
  await gone.close();
  const late = plainClient(gone.origin, authority);
  await assert.rejects(late.call({ method: 'GET', path: '/' }), { code: 'CONNECTION_REFUSED' });
  await late.close();
});

test('a call past its deadline is a time-out', async () => {
  const deadline = new AbortController();
  onSilent.addEventListener('request', () => deadline.abort(new DOMException('too late', 'TimeoutError')), {
    once: true,
  });
  await assert.rejects(client.open('/silent', {}, deadline.signal), { code: 'CONNECTION_TIMEOUT' });
  for (const response of silent) response.destroy();
});

test('what is under way when a client is retired comes to its end, and nothing more is asked for', async () => {
  const retiring = plainClient(server.origin, authority);
  const { body } = await retiring.open('/begun', {}, new AbortController().signal);
  const retired = retiring.retire();
  await assert.rejects(retiring.call({ method: 'GET', path: '/json' }), { code: 'CONNECTION_FAILED' });
  begun.at(-1)?.end('end');
  assert.equal(Buffer.concat(await body.toArray()).toString(), 'beginning, end');
  await retired;
});

test('does not follow a redirect', async () => {
  const before = requests.length;
  const reply = await get('/redirect');
  assert.equal(reply.status, 302);
  assert.equal(reply.header('location'), '/json');
  assert.equal(requests.length, before + 1);
});

test('refuses to connect to any host but its own, also by a confused connector', async () => {
  const asked: string[] = [];
  const failing = createOriginClient('https://[::1]:8443', (options, callback) => {
    asked.push(`${options.protocol}//${options.hostname}:${options.port}`);
    callback(new Error('no network in this test'), null);
  });
  // An IPv6 address comes without the brackets that its URL has, and is still the same host.
  await assert.rejects(failing.call({ method: 'GET', path: '/' }), { code: 'CONNECTION_FAILED' });
  assert.deepEqual(asked, ['https://::1:8443']);
  await failing.close();
});

test('reads JSON, sends the body and the headers given', async () => {
  assert.deepEqual((await get('/charset')).json(), []);
  const reply = await client.call({ method: 'POST', path: '/json', headers: { 'x-a': 'b' }, body: '{}' });
  assert.deepEqual(
    [reply.status, reply.json(), reply.header('etag'), reply.header('x')],
    [200, { a: 1 }, '"1"', undefined],
  );
  const seen = requests.at(-1);
  assert.deepEqual([seen?.method, seen?.headers['x-a'], seen?.headers['content-length']], ['POST', 'b', '2']);
});

test('a body that is thrown away unread harms nobody', async () => {
  for (const path of ['/large', '/json', '/redirect']) {
    const reply = await client.open(path, {}, new AbortController().signal);
    reply.body.destroy();
    assert.equal((await get('/json')).status, 200);
  }
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { type ConnectOptions, connect, type ProxyOptions, type TssError, undiciConnector } from 'node-tss';
import { Agent, request } from 'undici';
import { type ConnectProxyOptions, startConnectProxy } from '../support/connect-proxy.ts';
import { startNginx } from '../support/nginx.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const NAME = 'signage.invalid';
const get = `GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`;
const credentials = { username: 'screen', password: 'pa:ss wörd-7f3e' };

async function proxied(context: TestContext, options: ConnectProxyOptions = {}) {
  const proxy = await startConnectProxy(options);
  context.after(() => proxy.stop());
  return proxy;
}

async function nginx(context: TestContext): Promise<number> {
  const identity = serverIdentity(servers, [NAME, '127.0.0.1']);
  const { port, stop } = await startNginx({ ...identity, clientAuthorityPem: clients.certificatePem });
  context.after(stop);
  return port;
}

async function ownIdentity(context: TestContext): Promise<NonNullable<ConnectOptions['identity']>> {
  const key = await loadTestKey(context);
  return { key, certificateChain: clientCertificate(clients, key) };
}

/** Something at a proxy's address that does what `serve` does. */
async function impostor(context: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers the request for a tunnel, once all of it has come, with these bytes. */
function answering(...parts: readonly string[]): (socket: Socket) => void {
  return (socket) => {
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      const before = received.includes('\r\n\r\n');
      received += chunk.toString('latin1');
      if (!before && received.includes('\r\n\r\n')) for (const part of parts) socket.write(part);
    });
  };
}

const through = (
  url: string,
  more: Partial<ConnectOptions> = {},
  proxy: Partial<ProxyOptions> = {},
): ConnectOptions => ({
  host: NAME,
  port: 443,
  ca: servers.certificatePem,
  proxy: { url, ...proxy },
  ...more,
});

for (const status of [400, 403, 404, 407, 500, 502, 503, 504]) {
  test(`refuses to go on where the proxy answers ${status}, and says so`, async (t) => {
    const url = await impostor(t, answering(`HTTP/1.1 ${status} reason of a stranger\r\nContent-Length: 0\r\n\r\n`));
    await assert.rejects(connect(through(url)), (error: TssError) => {
      assert.equal(error.code, 'PROXY_REFUSED');
      assert.match(error.message, new RegExp(`${status}: .{10}`));
      assert.ok(!error.message.includes('stranger'));
      return true;
    });
  });
}

for (const [what, answer] of [
  ['another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
  ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46'],
  ['no number', 'HTTP/1.1 OK\r\n\r\n'],
  ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a number that is no status', 'HTTP/1.1 000 OK\r\n\r\n'],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
  ['an older version', 'HTTP/0.9 200 OK\r\n\r\n'],
  ['a line before the status', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['bytes behind its answer', 'HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03'],
  ['a body behind its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['a header that is too long', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(16 * 1024)}\r\n\r\n`],
  ['interim answers without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(600)],
] as const) {
  test(`refuses a proxy that answers with ${what}`, async (t) => {
    const url = await impostor(t, answering(answer));
    const code = what.startsWith('a change') ? 'PROXY_REFUSED' : 'PROXY_PROTOCOL';
    await assert.rejects(connect(through(url)), { name: 'TssError', code });
  });
}

test('takes no more than 16 KiB from a proxy whose headers never end', async (t) => {
  const url = await impostor(t, (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write('X-Header: x\r\n'.repeat(100)));
    };
    socket.on('drain', pour);
    socket.write('HTTP/1.1 200 OK\r\n');
    pour();
  });
  await assert.rejects(connect(through(url)), { code: 'PROXY_PROTOCOL', message: /longer than 16384/ });
});

test('reports a proxy that cannot be reached, whatever the reason, as unreachable', async (t) => {
  await assert.rejects(connect(through('http://127.0.0.1:1')), { code: 'PROXY_UNREACHABLE', message: /ECONNREFUSED/ });
  const unknown = connect(through('http://no-such-proxy.invalid:8080'));
  await assert.rejects(unknown, { code: 'PROXY_UNREACHABLE' });
  const hangsUp = await impostor(t, (socket) => socket.end());
  await assert.rejects(connect(through(hangsUp)), { code: 'PROXY_UNREACHABLE', message: /hung up/ });
  const half = await impostor(t, (socket) => socket.end('HTTP/1.1 200 O'));
  await assert.rejects(connect(through(half)), { code: 'PROXY_UNREACHABLE' });
  const resets = await impostor(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  await assert.rejects(connect(through(resets)), { code: 'PROXY_UNREACHABLE' });
});

test('waits for a proxy no longer than for anybody', async (t) => {
  const mute = await impostor(t, (socket) => socket.resume());
  const waiting = connect(through(mute, { timeoutMs: 30 }));
  await assert.rejects(waiting, { code: 'CONNECTION_TIMEOUT', message: /the proxy did not answer/ });
  const stalls = await impostor(t, answering('HTTP/1.1 200 OK\r\nX: '));
  await assert.rejects(connect(through(stalls, { timeoutMs: 30 })), { code: 'CONNECTION_TIMEOUT', message: /proxy/ });
  const opens = await impostor(t, answering('HTTP/1.1 200 OK\r\n\r\n'));
  // On a busy machine the proxy itself may need more than a moment.
  await assert.rejects(connect(through(opens, { timeoutMs: 3_000 })), {
    code: 'CONNECTION_TIMEOUT',
    message: /server/,
  });
});

test('gives up while the proxy thinks', async (t) => {
  const abort = new AbortController();
  const url = await impostor(t, (socket) => socket.once('data', () => abort.abort(new Error('changed my mind'))));
  await assert.rejects(connect(through(url, { signal: abort.signal })), /changed my mind/);
});

test('judges what comes through the tunnel like any other server', async (t) => {
  const garbage = await impostor(t, (socket) => {
    answering('HTTP/1.1 200 OK\r\n\r\n')(socket);
    socket.on('data', (chunk: Buffer) => chunk[0] === 0x16 && socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  await assert.rejects(connect(through(garbage)), { code: 'TLS_PROTOCOL' });
  const port = await nginx(t);
  const { url } = await proxied(t, { hosts: { 'other.invalid': '127.0.0.1', [NAME]: '127.0.0.1' } });
  const wrong = connect(through(url, { host: 'other.invalid', port }));
  await assert.rejects(wrong, { code: 'SERVER_WRONG_HOST' });
  const stranger = connect(through(url, { port, ca: clients.certificatePem }));
  await assert.rejects(stranger, { code: 'SERVER_UNTRUSTED' });
});

test('reports that the proxy finds no server as a refusal of the proxy', async (t) => {
  const { url } = await proxied(t, { hosts: { [NAME]: '127.0.0.1' } });
  await assert.rejects(connect(through(url, { port: 1 })), { code: 'PROXY_REFUSED', message: /502/ });
});

test('refuses proxies, credentials and hosts that cannot be meant', async () => {
  for (const url of ['', 'proxy:3128', 'https://proxy:3128', 'socks5://proxy', 'http://proxy/x', 'http://proxy?x']) {
    await assert.rejects(connect(through(url)), { code: 'ARGUMENT_INVALID' }, url);
  }
  const inside = connect(through('http://screen:hunter2@proxy:3128'));
  await assert.rejects(inside, (error: TssError) => {
    assert.equal(error.code, 'ARGUMENT_INVALID');
    assert.ok(!inspect(error).includes('hunter2'));
    return true;
  });
  for (const bad of [
    { username: 'a:b', password: 'secret' },
    { username: 'a', password: 'secret\r\nX: y' },
    { username: 'a\0', password: 'secret' },
  ]) {
    const attempt = connect(through('http://127.0.0.1:1', {}, { credentials: bad }));
    await assert.rejects(attempt, (error: TssError) => {
      assert.equal(error.code, 'ARGUMENT_INVALID');
      assert.ok(!inspect(error).includes('secret'));
      return true;
    });
  }
});

test('lets no host name smuggle a line into the request', async (t) => {
  const heard: string[] = [];
  const url = await impostor(t, (socket) => socket.on('data', (chunk: Buffer) => heard.push(chunk.toString())));
  for (const host of ['a\r\nX: y', 'a b', 'a/b', 'a:443', '', 'a\0', 'x'.repeat(256)]) {
    const attempt = connect(through(url, { host, servername: NAME }));
    await assert.rejects(attempt, { code: 'ARGUMENT_INVALID' }, JSON.stringify(host));
  }
  assert.deepEqual(heard, []);
});

test('refuses bypass entries that mean nothing, by their name', async () => {
  for (const entry of ['', '*', '*.example', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', 'a b', 'http://x', '.', '1/2']) {
    const attempt = connect(through('http://127.0.0.1:1', {}, { bypass: ['localhost', entry] }));
    await assert.rejects(attempt, { code: 'ARGUMENT_INVALID', message: /is no host/ }, entry);
  }
});

for (const [entry, host, direct] of [
  ['signage.invalid', 'signage.invalid', true],
  ['Signage.INVALID', 'signage.invalid.', true],
  ['signage.invalid', 'not-signage.invalid', false],
  ['signage.invalid', 'a.signage.invalid', false],
  ['.signage.invalid', 'a.signage.invalid', true],
  ['.signage.invalid', 'a.b.signage.invalid', true],
  ['.signage.invalid', 'signage.invalid', false],
  ['.signage.invalid', 'asignage.invalid', false],
  ['127.0.0.0/8', '127.0.0.1', true],
  ['127.0.0.1', '127.0.0.1', true],
  ['10.0.0.0/8', '127.0.0.1', false],
  ['127.0.0.1', '127.0.0.1.invalid', false],
  ['::1/128', '::1', true],
  ['fd00::/8', '::1', false],
] as const) {
  test(`${direct ? 'goes around' : 'asks'} the proxy for ${host} where the bypass list says ${entry}`, async () => {
    const attempt = connect({ host, port: 1, proxy: { url: 'http://127.0.0.1:1', bypass: [entry] } });
    // Nobody listens at either end: who was called is told by who did not answer.
    await assert.rejects(attempt, (error: TssError) => {
      assert.equal(error.code !== 'PROXY_UNREACHABLE', direct, error.code);
      return true;
    });
  });
}

test('authenticates with the TPM key through a tunnel, the name resolved by the proxy', async (t) => {
  const port = await nginx(t);
  const proxy = await proxied(t, { hosts: { [NAME]: '127.0.0.1' }, credentials });
  const identity = await ownIdentity(t);
  const stream = await connect(through(proxy.url, { port, identity }, { credentials }));
  stream.write(get);
  assert.match(await text(stream), /^HTTP\/1\.1 200 [\s\S]*CN=screen/);
  assert.deepEqual(proxy.tunnels, [`${NAME}:${port}`]);
});

test('understands a proxy that answers byte by byte, in HTTP/1.0, behind interim answers', async (t) => {
  const port = await nginx(t);
  const url = await impostor(t, (socket) => {
    socket.once('data', async () => {
      for (const byte of 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\nVia: x\r\n\r\n') {
        socket.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const far = connectTcp(port, '127.0.0.1');
      far.on('error', () => {});
      socket.pipe(far).pipe(socket);
    });
  });
  const stream = await connect(through(url, { port, identity: await ownIdentity(t) }));
  stream.write(get);
  assert.match(await text(stream), /CN=screen/);
});

test('keeps credentials out of every error', async (t) => {
  const { url, refusals } = await proxied(t, { credentials });
  const wrong = { username: 'screen', password: 'wrong-f81d' };
  await assert.rejects(connect(through(url, {}, { credentials: wrong })), (error: TssError) => {
    assert.equal(error.code, 'PROXY_REFUSED');
    const encoded = Buffer.from('screen:wrong-f81d').toString('base64');
    for (const secret of ['wrong-f81d', encoded]) assert.ok(!inspect(error, { depth: 10 }).includes(secret));
    return true;
  });
  assert.deepEqual(refusals, [407]);
});

test('takes undici through the proxy, and tells it when the tunnel is cut', async (t) => {
  const port = await nginx(t);
  const proxy = await proxied(t, { hosts: { [NAME]: '127.0.0.1' } });
  const identity = await ownIdentity(t);
  const connector = undiciConnector({
    credentials: async () => ({ ca: servers.certificatePem, identity, proxy: { url: proxy.url } }),
  });
  const dispatcher = new Agent({ connections: 1, connect: connector });
  t.after(() => dispatcher.destroy());
  for (let i = 0; i < 3; i++) {
    const { statusCode, body } = await request(`https://${NAME}:${port}/`, { dispatcher });
    assert.equal(statusCode, 200);
    await body.dump();
  }
  assert.deepEqual(proxy.tunnels, [`${NAME}:${port}`]);
  const hanging = request(`https://${NAME}:${port}/files/x`, {
    dispatcher,
    method: 'PUT',
    body: Readable.from(endless()),
  });
  proxy.cut();
  await assert.rejects(hanging);
});

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(1024);
}

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer, type TLSSocket } from 'node:tls';
import { type ConnectOptions, connect, type TlsStream, undiciConnector } from 'node-tss';
import { Agent, request } from 'undici';
import { startHttpsOrigin } from '../support/https-origin.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';

const { servers } = authorities();
const MEBIBYTE = 1024 * 1024;
/** What a stream may hold of a body: its own buffer, and what one read of the socket brings. */
const HELD_BYTES = 256 * 1024;
/** Far more than the kernel's buffers of a connection hold. */
const LONG_BYTES = 64 * MEBIBYTE;

interface Pair {
  readonly stream: TlsStream;
  /** The other end: Node's own TLS. */
  readonly peer: TLSSocket;
  /** Reset the peer's TCP connection. */
  reset(): void;
}

/** A connection to a server of Node's own that leaves ending to the test. */
async function pair(context: TestContext, more: Partial<ConnectOptions> = {}): Promise<Pair> {
  const { certificatePem, keyPem } = serverIdentity(servers);
  const server = createServer({ cert: certificatePem, key: keyPem, allowHalfOpen: true, minVersion: 'TLSv1.2' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'secureConnection');
  const connected = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const to = { host: '127.0.0.1', servername: 'localhost', port, ca: servers.certificatePem };
  const stream = await connect({ ...to, ...more });
  const [peer] = (await accepted) as [TLSSocket];
  peer.on('error', () => {});
  const [raw] = (await connected) as [Socket];
  context.after(() => {
    stream.destroy();
    peer.destroy();
    server.close();
  });
  return { stream, peer, reset: () => void raw.resetAndDestroy() };
}

/** Until a number does not change any more over many turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  let last = -1;
  for (let still = 0; still < 300; still++) {
    if (value() !== last) still = 0;
    last = value();
    await turn();
  }
  return last;
}

/** Everything that is written has left: Node says no close_notify while a write is under way. */
async function flushed(peer: TLSSocket, bytes: string | Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => peer.write(bytes, (error) => (error ? reject(error) : resolve())));
}

test('does not pass an abort for an end', async (t) => {
  const upload = async (leave: (stream: TlsStream) => void): Promise<number> => {
    const { stream, peer } = await pair(t);
    stream.on('error', () => {});
    stream.write('part');
    await once(peer, 'data');
    const before = stream.bytesWritten;
    leave(stream);
    await once(peer.resume(), 'end');
    return stream.bytesWritten - before;
  };
  assert.equal(await upload((stream) => stream.destroy(new Error('changed my mind'))), 0);
  // An alert is 2 bytes, its type 1, its tag 16 and the record's header 5 (RFC 8446 §5.2).
  assert.equal(await upload((stream) => stream.destroy()), 24);
  assert.equal(await upload((stream) => stream.end()), 24);
});

test('goes on reading after its own end', async (t) => {
  const { stream, peer } = await pair(t);
  let question = '';
  peer.on('data', (chunk: Buffer) => {
    question += chunk;
  });
  stream.end('question');
  await once(peer, 'end');
  assert.equal(question, 'question');
  const answer = randomBytes(3 * MEBIBYTE);
  const received: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => received.push(chunk));
  const ended = once(stream, 'end');
  await flushed(peer, answer);
  peer.end();
  await ended;
  assert.ok(Buffer.concat(received).equals(answer));
});

test('refuses to write after its own end', async (t) => {
  const { stream } = await pair(t);
  stream.end();
  const error = once(stream, 'error');
  stream.write('more');
  assert.equal(((await error)[0] as NodeJS.ErrnoException).code, 'ERR_STREAM_WRITE_AFTER_END');
});

test('answers the peer’s end with its own, unless it is to stay half open', async (t) => {
  const closing = await pair(t);
  closing.stream.resume();
  await flushed(closing.peer, 'hello');
  const closed = once(closing.stream, 'close');
  closing.peer.resume().end();
  await closed;
  assert.equal(closing.stream.writableFinished, true);

  const { stream, peer } = await pair(t, { allowHalfOpen: true });
  await flushed(peer, 'bye');
  const said: string[] = [];
  stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = once(stream, 'end');
  peer.end();
  await ended;
  assert.deepEqual(said, ['bye']);
  assert.equal(stream.writable, true);
  stream.write('one more ');
  stream.end('thing');
  assert.equal(await text(peer), 'one more thing');
});

test('still gives what came before the peer went away', async (t) => {
  const { stream, peer, reset } = await pair(t, { allowHalfOpen: true });
  const whole = randomBytes(8 * 1024);
  await flushed(peer, whole);
  peer.end();
  await once(stream, 'readable');
  await settled(() => stream.readableLength);
  reset();
  await settled(() => stream.readableLength);
  assert.ok((stream.read() as Buffer).equals(whole));
  const error = once(stream, 'error');
  stream.write(Buffer.alloc(MEBIBYTE));
  assert.equal(((await error)[0] as { code: string }).code, 'CONNECTION_FAILED');
});

test('holds no more than its buffers of a body that is read slowly', async (t) => {
  const { stream, peer } = await pair(t);
  const part = randomBytes(MEBIBYTE);
  let sentBytes = 0;
  Readable.from(
    (async function* () {
      for (; sentBytes < LONG_BYTES; sentBytes += part.length) yield part;
    })(),
  ).pipe(peer);
  await once(stream, 'readable');
  const held = await settled(() => stream.readableLength);
  assert.ok(held <= HELD_BYTES, `${held} bytes wait`);
  assert.ok(sentBytes < LONG_BYTES, 'the sender is held up');
  let mostHeld = 0;
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    await turn();
    mostHeld = Math.max(mostHeld, stream.readableLength);
  }
  assert.equal(bytes, LONG_BYTES);
  assert.ok(mostHeld <= HELD_BYTES, `${mostHeld} bytes waited`);
});

test('holds no more than its buffers of a body that the peer reads slowly', async (t) => {
  const { stream, peer } = await pair(t);
  const part = randomBytes(MEBIBYTE);
  const sent = createHash('sha256');
  let acceptedBytes = 0;
  const body = (async function* () {
    while (acceptedBytes < LONG_BYTES) {
      sent.update(part);
      yield part;
      acceptedBytes += part.length;
    }
  })();
  Readable.from(body, { highWaterMark: 1 }).pipe(stream);
  const stalledAt = await settled(() => acceptedBytes);
  assert.ok(stalledAt < LONG_BYTES / 2, `${stalledAt} bytes were taken from the writer`);
  assert.ok(stream.writableLength <= 2 * part.length, `${stream.writableLength} bytes wait`);
  const received = createHash('sha256');
  for await (const chunk of peer) received.update(chunk as Buffer);
  assert.equal(received.digest('hex'), sent.digest('hex'));
});

test('a signal ends the stream in the middle of a body, with its reason', async (t) => {
  const abort = new AbortController();
  const { stream, peer } = await pair(t, { signal: abort.signal });
  peer.write(Buffer.alloc(MEBIBYTE));
  await once(stream, 'readable');
  const error = once(stream, 'error');
  const gone = once(peer, 'close');
  abort.abort(new Error('the operator went home'));
  assert.match(String((await error)[0]), /went home/);
  assert.equal(stream.destroyed, true);
  peer.resume().end();
  await gone;
});

test('a signal that comes after the end changes nothing', async (t) => {
  const abort = new AbortController();
  const { stream, peer } = await pair(t, { signal: abort.signal });
  peer.end();
  stream.resume();
  await once(stream, 'close');
  abort.abort(new Error('too late'));
  assert.equal(stream.errored, null);
});

test('undici ends a request in the middle of its body, and the next one works', async (t) => {
  const origin = await startHttpsOrigin(servers, (_request, response) => {
    if (_request.url === '/long') Readable.from(endless()).pipe(response.writeHead(200));
    else response.end('short');
  });
  t.after(() => origin.close());
  const dispatcher = new Agent({
    connections: 1,
    connect: undiciConnector({ credentials: () => ({ ca: servers.certificatePem }) }),
  });
  t.after(() => dispatcher.destroy());
  const abort = new AbortController();
  const { body } = await request(`${origin.origin}/long`, { dispatcher, signal: abort.signal });
  await once(body, 'readable');
  const failed = assert.rejects(text(body), /enough/);
  abort.abort(new Error('enough'));
  await failed;
  const next = await request(origin.origin, { dispatcher });
  assert.equal(await next.body.text(), 'short');
});

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(16 * 1024);
}

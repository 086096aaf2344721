/** Servers that misbehave once the handshake is over. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TlsStream, undiciConnector } from 'node-tss';
import { Agent, request } from 'undici';
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts';
import { clientIdentity, toLocalhost } from '../support/tls-client.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';
import { handshakeTypes, message, vector } from '../support/tls13-messages.ts';
import { contentTypes, recordHeader } from '../support/tls13-secrets.ts';

const { servers, clients } = authorities();
const identity = serverIdentity(servers);
const client = clientIdentity(clients);
const MEBIBYTE = 1024 * 1024;
/** What the kernel holds on the way, at most, while nobody reads it any more. */
const IN_FLIGHT_BYTES = 12 * MEBIBYTE;
const { alert, applicationData, handshake } = contentTypes;
const closeNotify = Buffer.from([1, 0]);
const MAX_RECORD_BYTES = 16_384;

/** Connects to a server that does the handshake well and then plays the script. */
async function meet(context: TestContext, script: (server: HostileServer) => unknown): Promise<TlsStream> {
  const port = await startHostileServer(context, identity, async (server) => {
    await server.handshake();
    await script(server);
  });
  return connect(toLocalhost(port, servers.certificatePem, { identity: client }));
}

function ticket(lengthBytes = 32): Buffer {
  const head = [Buffer.from('00001c2000000000', 'hex'), vector(1, randomBytes(8)), vector(2, randomBytes(lengthBytes))];
  return message(handshakeTypes.newSessionTicket, ...head, vector(2));
}

/** A KeyUpdate, after which the server sends with new keys. @param wish 1 asks the client for the same */
function keyUpdate(server: HostileServer, wish: number): Buffer {
  const record = server.records(handshake, message(handshakeTypes.keyUpdate, Buffer.from([wish])));
  server.updateKeys();
  return record;
}

function* endless(make: () => Buffer): Generator<Buffer> {
  for (;;) yield Buffer.concat(Array.from({ length: 100 }, make));
}

test('refuses to show a certificate once the handshake is over', async (t) => {
  const stream = await meet(t, (server) => server.send(handshake, server.certificateRequest()));
  await assert.rejects(text(stream), { code: 'TLS_PROTOCOL' });
});

test('refuses to negotiate anew', async (t) => {
  for (const make of [
    () => message(0),
    () => message(1, randomBytes(40)),
    (server: HostileServer) => server.serverHello(),
    (server: HostileServer) => server.encryptedExtensions(),
    (server: HostileServer) => server.finished(),
  ]) {
    const stream = await meet(t, (server) => server.send(handshake, make(server)));
    await assert.rejects(text(stream), { code: 'TLS_PROTOCOL' });
  }
});

test('refuses tickets without end, and key updates without end, asked for or not', async (t) => {
  const floods: readonly ((server: HostileServer) => Buffer)[] = [
    (server) => server.records(handshake, ticket()),
    (server) => server.records(handshake, ticket(60_000)),
    (server) => keyUpdate(server, 0),
    (server) => keyUpdate(server, 1),
  ];
  for (const make of floods) {
    let poured: Promise<number> | undefined;
    const stream = await meet(t, (server) => {
      poured = server.pour(endless(() => make(server)));
      return poured;
    });
    await assert.rejects(text(stream), { code: 'TLS_PROTOCOL', message: /without data/ });
    const pouredBytes = (await poured) ?? 0;
    assert.ok(pouredBytes > 0 && pouredBytes < IN_FLIGHT_BYTES, String(pouredBytes));
  }
});

test('refuses key updates that are malformed or not alone at the end of their record', async (t) => {
  const update = message(handshakeTypes.keyUpdate, Buffer.from([0]));
  for (const content of [
    message(handshakeTypes.keyUpdate, Buffer.from([2])),
    message(handshakeTypes.keyUpdate),
    message(handshakeTypes.keyUpdate, Buffer.from([0, 0])),
    Buffer.concat([update, update]),
    Buffer.concat([update, ticket()]),
  ]) {
    const stream = await meet(t, (server) => server.send(handshake, content));
    await assert.rejects(text(stream), { code: 'TLS_PROTOCOL' }, content.toString('hex'));
  }
});

test('refuses tickets that are malformed or announce 16 MiB', async (t) => {
  const ticketType = Buffer.from([handshakeTypes.newSessionTicket]);
  for (const content of [
    message(handshakeTypes.newSessionTicket),
    message(handshakeTypes.newSessionTicket, randomBytes(9)),
    Buffer.concat([ticketType, Buffer.from([255, 255, 255]), Buffer.alloc(1000)]),
  ]) {
    const stream = await meet(t, (server) => server.send(handshake, content));
    await assert.rejects(text(stream), { code: 'TLS_PROTOCOL' }, content.subarray(0, 20).toString('hex'));
  }
});

test('refuses records that are forged, too long, empty of a type, or in the clear', async (t) => {
  const forgeries: Readonly<Record<string, (server: HostileServer) => Buffer>> = {
    'a flipped bit': (server) => {
      const record = server.seal(applicationData, Buffer.from('text'));
      record[7] = (record[7] ?? 0) ^ 1;
      return record;
    },
    'a record twice': (server) => {
      const record = server.seal(applicationData, Buffer.from('text'));
      return Buffer.concat([record, record]);
    },
    'no type': (server) => server.seal(0, Buffer.alloc(0), 20),
    'an unknown type': (server) => server.seal(24, Buffer.from('heartbeat')),
    'content of 16,385 bytes': (server) => server.seal(applicationData, Buffer.alloc(MAX_RECORD_BYTES + 1)),
    'padding beyond the limit': (server) => server.seal(applicationData, Buffer.alloc(10), MAX_RECORD_BYTES + 256),
    'a record of 65,535 bytes': () => Buffer.concat([recordHeader(applicationData, 65_535), Buffer.alloc(65_535)]),
    'plain text': () => Buffer.concat([recordHeader(applicationData, 4), Buffer.from('text')]),
    'a plain close_notify': () => Buffer.concat([recordHeader(alert, 2), closeNotify]),
    'a plain handshake message': () => Buffer.concat([recordHeader(handshake, 4), message(0)]),
    change_cipher_spec: () => Buffer.concat([recordHeader(20, 1), Buffer.from([1])]),
    'TLS 1.2 in the header': (server) => {
      const record = server.seal(applicationData, Buffer.from('text'));
      record[2] = 2;
      return record;
    },
    garbage: () => randomBytes(1000).fill(0x42, 0, 1),
  };
  for (const [name, make] of Object.entries(forgeries)) {
    // On a slow machine the forgery is there before the handshake is over: then there is no stream.
    const reply = meet(t, (server) => server.socket.end(make(server))).then(text);
    await assert.rejects(reply, { code: 'TLS_PROTOCOL' }, name);
  }
});

test('refuses empty records and warnings without end', async (t) => {
  const floods: readonly ((server: HostileServer) => Buffer)[] = [
    (server) => server.seal(applicationData, Buffer.alloc(0)),
    (server) => server.seal(alert, Buffer.from([1, 90])),
  ];
  for (const make of floods) {
    const reply = meet(t, (server) => server.pour(endless(() => make(server)))).then(text);
    await assert.rejects(reply, { code: 'TLS_PROTOCOL' });
  }
});

test('takes a close without close_notify, at or within a record, for a truncation', async (t) => {
  for (const keep of [0, 1, 4, 5, 10, undefined]) {
    for (const leave of ['end', 'destroy'] as const) {
      const stream = await meet(t, (server) => {
        server.socket.write(server.seal(applicationData, Buffer.from('whole')));
        const rest = server.seal(applicationData, Buffer.from('cut')).subarray(0, keep);
        server.socket.write(rest, () => server.socket[leave]());
      });
      await assert.rejects(text(stream), { code: 'CONNECTION_FAILED' }, `${keep} bytes, ${leave}`);
    }
  }
});

test('hears why it was refused also when the server is gone before the first byte is sent', async (t) => {
  const gone = new EventTarget();
  const stream = await meet(t, (server) => {
    server.socket.once('close', () => gone.dispatchEvent(new Event('close')));
    server.socket.write(server.seal(alert, Buffer.from([2, 48])), () => server.socket.resetAndDestroy());
  });
  await once(gone, 'close');
  const heard = assert.rejects(once(stream, 'end'), { code: 'SERVER_REFUSED_CERTIFICATE' });
  stream.write(Buffer.alloc(MEBIBYTE));
  stream.write('more');
  stream.resume();
  await heard;
});

test('ignores what follows close_notify', async (t) => {
  const stream = await meet(t, (server) => {
    server.send(applicationData, Buffer.from('said'));
    server.send(alert, closeNotify);
    server.send(applicationData, Buffer.from('unsaid'));
    server.socket.write(randomBytes(1000));
  });
  assert.equal(await text(stream), 'said');
});

test('changes keys with a server that goes on sending data', async (t) => {
  const rounds = 200;
  const stream = await meet(t, async (server) => {
    for (let round = 0; round < rounds; round++) {
      server.send(handshake, ticket());
      server.socket.write(keyUpdate(server, round % 2));
      server.send(applicationData, Buffer.from(`${round},`));
    }
    server.send(alert, closeNotify);
  });
  assert.equal(await text(stream), Array.from({ length: rounds }, (_, round) => `${round},`).join(''));
});

test('answers a key update in its turn, and is understood with the new keys', async (t) => {
  let heard = '';
  const stream = await meet(t, async (server) => {
    server.socket.write(keyUpdate(server, 1));
    server.send(applicationData, Buffer.from('your turn'));
    const answer = await server.record();
    assert.deepEqual(answer.content, message(handshakeTypes.keyUpdate, Buffer.from([0])));
    server.updateClientKeys();
    heard = (await server.record()).content.toString();
    server.send(alert, closeNotify);
  });
  await once(stream, 'readable');
  stream.write('with new keys');
  await text(stream);
  assert.equal(heard, 'with new keys');
});

/** An undici agent for servers of this file's authority. */
function agent(context: TestContext, headersTimeout = 60_000): Agent {
  const credentials = () => ({ ca: servers.certificatePem, identity: client });
  const made = new Agent({ connect: undiciConnector({ credentials }), headersTimeout });
  context.after(() => made.destroy());
  return made;
}

test('gives up a server that says nothing after the handshake, or its headers byte by byte', async (t) => {
  const silent = await startHostileServer(t, identity, (server) => server.handshake());
  const slow = await startHostileServer(t, identity, async (server) => {
    await server.handshake();
    await server.record();
    server.send(applicationData, Buffer.from('HTTP/1.1 200 OK\r\n'));
    while (!server.socket.destroyed) {
      server.send(applicationData, Buffer.from('x'));
      await delay(100);
    }
  });
  const dispatcher = agent(t, 1000);
  const attempts = [silent, slow].map((port) =>
    assert.rejects(request(`https://localhost:${port}/`, { dispatcher }), { code: 'UND_ERR_HEADERS_TIMEOUT' }),
  );
  await Promise.all(attempts);
});

test('takes no more than a little of 100 MiB of headers', async (t) => {
  let poured: Promise<number> | undefined;
  const port = await startHostileServer(t, identity, async (server) => {
    await server.handshake();
    await server.record();
    server.send(applicationData, Buffer.from('HTTP/1.1 200 OK\r\n'));
    function* headers(): Generator<Buffer> {
      for (let sentBytes = 0; sentBytes < 100 * MEBIBYTE; sentBytes += 16_000) {
        yield server.records(applicationData, Buffer.from(`x-${sentBytes}: ${'x'.repeat(15_990)}\r\n`));
      }
    }
    poured = server.pour(headers());
    await poured;
  });
  const beforeBytes = process.memoryUsage().rss;
  const answer = request(`https://localhost:${port}/`, { dispatcher: agent(t) });
  await assert.rejects(answer, { code: 'UND_ERR_HEADERS_OVERFLOW' });
  const pouredBytes = (await poured) ?? 0;
  assert.ok(pouredBytes > 0 && pouredBytes < IN_FLIGHT_BYTES, `${pouredBytes} bytes were taken`);
  const growthBytes = process.memoryUsage().rss - beforeBytes;
  assert.ok(growthBytes < 64 * MEBIBYTE, `${growthBytes} bytes piled up`);
});

test('passes on to undici what ends a response, in place of a shorter body', async (t) => {
  const endings: readonly (readonly [code: string, end: (server: HostileServer) => unknown])[] = [
    ['CONNECTION_FAILED', (server) => server.socket.end()],
    ['TLS_PROTOCOL', (server) => server.socket.end(randomBytes(100).fill(0x42, 0, 1))],
    ['TLS_PROTOCOL', (server) => server.send(alert, Buffer.from([2, 80]))],
    ['SERVER_REFUSED_CERTIFICATE', (server) => server.send(alert, Buffer.from([2, 44]))],
  ];
  for (const [code, end] of endings) {
    const port = await startHostileServer(t, identity, async (server) => {
      await server.handshake();
      await server.record();
      server.send(applicationData, Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\npart'));
      await end(server);
    });
    const dispatcher = agent(t);
    const answer = request(`https://localhost:${port}/`, { dispatcher }).then(({ body }) => body.text());
    await assert.rejects(answer, ({ code: own, cause }: Error & { code: string; cause?: { code: string } }) => {
      assert.equal(cause?.code ?? own, code);
      return true;
    });
  }
});

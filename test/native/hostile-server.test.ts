/** Servers that misbehave until the handshake is over. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConnectOptions, connect, type TlsStream } from 'node-tss';
import { type HostileServer, handshakeSteps, startHostileServer } from '../support/hostile-server.ts';
import { clientIdentity, toLocalhost } from '../support/tls-client.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';
import { handshakeTypes } from '../support/tls13-messages.ts';
import { contentTypes, recordHeader, sha256 } from '../support/tls13-secrets.ts';

const { servers, clients } = authorities();
const identity = serverIdentity(servers);
const MEBIBYTE = 1024 * 1024;
/** What the kernel holds on the way, at most, while nobody reads it any more. */
const IN_FLIGHT_BYTES = 12 * MEBIBYTE;

type Script = (server: HostileServer) => unknown;

async function meet(context: TestContext, script: Script, more: Partial<ConnectOptions> = {}): Promise<TlsStream> {
  const port = await startHostileServer(context, identity, script);
  const client = { identity: clientIdentity(clients), ...more };
  return connect(toLocalhost(port, servers.certificatePem, client));
}

test('refuses garbage', async (t) => {
  const texts = ['SSH-2.0-OpenSSH_9.2\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n', '\0'.repeat(5)].map((text) =>
    Buffer.from(text),
  );
  const pieces = [...texts, ...Array.from({ length: 20 }, (_, index) => sha256(Buffer.from([index])))];
  for (const piece of pieces) {
    const script: Script = (server) => server.socket.end(piece);
    await assert.rejects(meet(t, script), { name: 'TssError', code: 'TLS_PROTOCOL' }, piece.toString('hex'));
  }
});

test('refuses a ServerHello in which any one byte of its head is wrong', async (t) => {
  for (const offset of [0, 1, 2, 3, 4, 5, 38, 39, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85]) {
    const script: Script = async (server) => {
      await server.clientHello();
      const hello = server.serverHello();
      hello[offset] = (hello[offset] ?? 0) ^ 0x55;
      server.say(hello);
      server.socket.end();
    };
    await assert.rejects(
      meet(t, script),
      ({ code }: { code: string }) => code === 'TLS_PROTOCOL' || code === 'CONNECTION_FAILED',
      `byte ${offset}`,
    );
  }
});

test('takes half a record, and then an end, for a connection that failed', async (t) => {
  const script: Script = async (server) => {
    await server.clientHello();
    server.socket.end(server.records(contentTypes.handshake, server.serverHello()).subarray(0, 40));
  };
  await assert.rejects(meet(t, script), { code: 'CONNECTION_FAILED' });
});

test('gives a server up at the deadline that says nothing, half a record, or a byte now and then', async (t) => {
  await assert.rejects(
    meet(t, () => {}, { timeoutMs: 100 }),
    { code: 'CONNECTION_TIMEOUT' },
  );
  const half: Script = (server) => void server.socket.write(recordHeader(contentTypes.handshake, 100));
  await assert.rejects(meet(t, half, { timeoutMs: 100 }), { code: 'CONNECTION_TIMEOUT' });
  const slow: Script = async (server) => {
    await server.clientHello();
    for (const byte of recordHeader(contentTypes.handshake, 16_000)) server.socket.write(Buffer.from([byte]));
    while (!server.socket.destroyed) {
      server.socket.write(Buffer.from([2]));
      for (let turn = 0; turn < 20; turn++) await nextTurn();
    }
  };
  await assert.rejects(meet(t, slow, { timeoutMs: 100 }), { code: 'CONNECTION_TIMEOUT' });
});

test('tells alerts about its certificate from all others', async (t) => {
  const refusals = [42, 43, 44, 45, 46, 48, 49, 116];
  for (const description of [...refusals, 10, 20, 40, 47, 50, 51, 70, 71, 80, 86, 109, 110, 112, 120, 255]) {
    const code = refusals.includes(description) ? 'SERVER_REFUSED_CERTIFICATE' : 'TLS_PROTOCOL';
    const script: Script = async (server) => {
      await server.clientHello();
      server.send(contentTypes.alert, Buffer.from([2, description]));
    };
    await assert.rejects(meet(t, script), { code }, `alert ${description}`);
  }
});

test('refuses a server that goes on for ever', async (t) => {
  const endless = function* (piece: Buffer): Generator<Buffer> {
    for (;;) yield piece;
  };
  const floods: Readonly<Record<string, (server: HostileServer) => Buffer>> = {
    'change_cipher_spec records': () => Buffer.concat([recordHeader(20, 1), Buffer.from([1])]),
    'empty handshake records': () => recordHeader(contentTypes.handshake, 0),
    'handshake bytes of one message': () =>
      Buffer.concat([recordHeader(contentTypes.handshake, 16_384), Buffer.alloc(16_384, 2)]),
    'warning alerts': () => Buffer.concat([recordHeader(contentTypes.alert, 2), Buffer.from([1, 90])]),
    zeros: () => Buffer.alloc(65_536),
  };
  for (const [name, piece] of Object.entries(floods)) {
    let poured: Promise<number> | undefined;
    const script: Script = async (server) => {
      await server.clientHello();
      poured = server.pour(endless(Buffer.concat(Array.from({ length: 64 }, () => piece(server)))));
      await poured;
    };
    await assert.rejects(meet(t, script), { code: 'TLS_PROTOCOL' }, name);
    const pouredBytes = (await poured) ?? 0;
    assert.ok(pouredBytes > 0 && pouredBytes < IN_FLIGHT_BYTES, `${name}: ${pouredBytes}`);
  }
});

test('refuses a message that announces 16 MiB, before it has come', async (t) => {
  const huge = (type: number): Buffer => Buffer.concat([Buffer.from([type, 255, 255, 255]), Buffer.alloc(1000)]);
  const hello: Script = async (server) => {
    await server.clientHello();
    server.send(contentTypes.handshake, huge(handshakeTypes.serverHello));
  };
  await assert.rejects(meet(t, hello), { code: 'TLS_PROTOCOL' });
  for (const [last, type] of [
    ['ServerHello', handshakeTypes.encryptedExtensions],
    ['EncryptedExtensions', handshakeTypes.certificate],
    ['Certificate', handshakeTypes.certificateVerify],
    ['CertificateVerify', handshakeTypes.finished],
  ] as const) {
    const script: Script = async (server) => {
      await server.playUntil(last);
      server.send(contentTypes.handshake, huge(type));
    };
    await assert.rejects(meet(t, script), { code: 'TLS_PROTOCOL' }, last);
  }
});

test('takes a close in any phase for a connection that failed', async (t) => {
  for (const [last] of handshakeSteps) {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const script: Script = async (server) => {
        await server.playUntil(last);
        server.socket[leave]();
      };
      await assert.rejects(meet(t, script), { code: 'CONNECTION_FAILED' }, `${leave} after ${last}`);
    }
  }
});

test('refuses a handshake in which a message is missing, doubled or out of place', async (t) => {
  const first = 3;
  for (let index = first; index < handshakeSteps.length; index++) {
    const [name, take] = handshakeSteps[index] ?? assert.fail();
    const around =
      (play: (server: HostileServer) => Promise<void>): Script =>
      async (server) => {
        for (const [, before] of handshakeSteps.slice(0, index)) await before(server);
        await play(server);
        for (const [, after] of handshakeSteps.slice(index + 1)) await after(server);
        server.say(server.finished());
      };
    // A server need not ask for a certificate.
    if (name !== 'CertificateRequest') {
      await assert.rejects(
        meet(
          t,
          around(async () => {}),
        ),
        { code: 'TLS_PROTOCOL' },
        `no ${name}`,
      );
    }
    const twice = around(async (server) => {
      await take(server);
      await take(server);
    });
    await assert.rejects(meet(t, twice), { code: 'TLS_PROTOCOL' }, `${name} twice`);
  }
  const early: Script = async (server) => {
    await server.playUntil('ServerHello');
    server.send(contentTypes.applicationData, Buffer.from('early'));
  };
  await assert.rejects(meet(t, early), { code: 'TLS_PROTOCOL' });
});

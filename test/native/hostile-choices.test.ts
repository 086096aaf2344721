/** Servers that choose, prove or ask for what they may not. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type ConnectOptions, connect, type TlsStream } from 'node-tss';
import { type HostileServer, handshakeSteps, startHostileServer } from '../support/hostile-server.ts';
import { clientIdentity, toLocalhost } from '../support/tls-client.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';
import { extension, handshakeTypes, message, uint16, vector } from '../support/tls13-messages.ts';
import { contentTypes } from '../support/tls13-secrets.ts';

const { servers, clients } = authorities();
const identity = serverIdentity(servers);
/** The random of a HelloRetryRequest (RFC 8446 §4.1.3). */
const retry = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

type Script = (server: HostileServer) => unknown;

async function meet(context: TestContext, script: Script, more: Partial<ConnectOptions> = {}): Promise<TlsStream> {
  const port = await startHostileServer(context, identity, script);
  const client = { identity: clientIdentity(clients), ...more };
  return connect(toLocalhost(port, servers.certificatePem, client));
}

test('refuses what it did not offer', async (t) => {
  const hellos: Readonly<Record<string, (server: HostileServer) => Buffer>> = {
    'TLS 1.2': (server) => server.serverHello({ cipher: 0xc02b, extensions: [] }),
    'TLS 1.2 where 1.3 was possible': (server) =>
      server.serverHello({
        cipher: 0xc02b,
        extensions: [],
        random: Buffer.concat([randomBytes(24), Buffer.from('DOWNGRD\x01', 'latin1')]),
      }),
    'a version of the future': (server) => server.serverHello({ extensions: [extension(43, uint16(0x0305))] }),
    'the suite CCM': (server) => server.serverHello({ cipher: 0x1304 }),
    'a suite of TLS 1.2': (server) => server.serverHello({ cipher: 0xc02b }),
    'the group X448': (server) => server.serverHello({ group: 0x001e }),
    'no key share': (server) => server.serverHello({ extensions: [extension(43, uint16(0x0304))] }),
    'a pre-shared key': (server) =>
      server.serverHello({ extensions: [extension(43, uint16(0x0304)), extension(41, uint16(0))] }),
    'a retry that changes nothing': (server) =>
      server.serverHello({
        random: retry,
        extensions: [extension(43, uint16(0x0304)), extension(51, uint16(0x001d))],
      }),
  };
  for (const [name, hello] of Object.entries(hellos)) {
    const script: Script = async (server) => {
      await server.clientHello();
      server.say(hello(server));
    };
    await assert.rejects(meet(t, script), { code: 'TLS_PROTOCOL' }, name);
  }
  const alpn: Script = async (server) => {
    await server.playUntil('ServerHello');
    server.say(server.encryptedExtensions(extension(16, vector(2, vector(1, Buffer.from('h2'))))));
  };
  await assert.rejects(meet(t, alpn, { alpn: ['http/1.1'] }), { code: 'TLS_PROTOCOL' });
  await assert.rejects(meet(t, alpn), { code: 'TLS_PROTOCOL' });
});

test('refuses a second retry', async (t) => {
  const script: Script = async (server) => {
    await server.clientHello();
    const extensions = [extension(43, uint16(0x0304)), extension(51, uint16(0x0018))];
    const hello = server.serverHello({ random: retry, extensions });
    server.send(contentTypes.handshake, hello);
    await server.record();
    server.send(contentTypes.handshake, hello);
  };
  await assert.rejects(meet(t, script), { code: 'TLS_PROTOCOL' });
});

test('refuses proofs that do not hold', async (t) => {
  const flipped = (proof: Buffer): Buffer => {
    proof[proof.length - 1] = (proof.at(-1) ?? 0) ^ 1;
    return proof;
  };
  const finished: Script = async (server) => {
    await server.playUntil('CertificateVerify');
    server.say(flipped(server.finished()));
  };
  await assert.rejects(meet(t, finished), { code: 'TLS_PROTOCOL' });
  const verify: Script = async (server) => {
    await server.playUntil('Certificate');
    server.say(flipped(server.certificateVerify()));
    server.say(server.finished());
  };
  await assert.rejects(meet(t, verify), { code: 'TLS_PROTOCOL' });
  const thief = { ...serverIdentity(servers), certificatePem: identity.certificatePem };
  const port = await startHostileServer(t, thief, (server) => server.handshake());
  await assert.rejects(connect(toLocalhost(port, servers.certificatePem)), { code: 'TLS_PROTOCOL' });
});

test('refuses certificate messages without a certificate that parses', async (t) => {
  for (const chain of [[], [Buffer.alloc(0)], [randomBytes(500)], [Buffer.from('3000', 'hex')]]) {
    const script: Script = async (server) => {
      await server.playUntil('CertificateRequest');
      server.say(server.certificate(chain));
    };
    await assert.rejects(meet(t, script), { code: 'TLS_PROTOCOL' });
  }
});

test('shows no certificate to a server that takes no signature of its key', async (t) => {
  let flight: readonly Buffer[] = [];
  const script: Script = async (server) => {
    await server.playUntil('EncryptedExtensions');
    server.say(server.certificateRequest([0x0804, 0x0503]));
    for (const [name, take] of handshakeSteps.slice(5)) if (name !== 'CertificateRequest') await take(server);
    server.say(server.finished());
    flight = await server.clientFlight();
    server.send(contentTypes.alert, Buffer.from([2, 116]));
  };
  const stream = await meet(t, script);
  await assert.rejects(once(stream.resume(), 'end'), { code: 'SERVER_REFUSED_CERTIFICATE' });
  const [certificate] = flight;
  assert.deepEqual(certificate, message(handshakeTypes.certificate, vector(1), vector(3)));
});

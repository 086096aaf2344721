import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { connect } from 'node-tss';
import { startHostileServer } from '../support/hostile-server.ts';
import { startNginx } from '../support/nginx.ts';
import { startSplitRelay } from '../support/split-relay.ts';
import { clientIdentity, getPage, toLocalhost } from '../support/tls-client.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';
import { contentTypes } from '../support/tls13-secrets.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const ca = servers.certificatePem;
const MAX_RECORD_BYTES = 16_384;

async function nginx(context: TestContext, tickets = false): Promise<number> {
  const { port, stop } = await startNginx({
    ...serverIdentity(servers),
    clientAuthorityPem: clients.certificatePem,
    tickets,
  });
  context.after(stop);
  return port;
}

function* everyByte(): Generator<number> {
  for (let offset = 1; ; offset++) yield offset;
}

test('reads a connection whose bytes arrive one by one, with a key in the TPM', async (t) => {
  const relay = await startSplitRelay(t, await nginx(t));
  relay.cutAt(everyByte());
  const identity = clientIdentity(clients, await loadTestKey(t));
  const { page } = await getPage(toLocalhost(relay.port, ca, { identity }));
  assert.match(page, /^HTTP\/1\.1 200 [\s\S]*CN=screen/);
});

test('reads a connection that is cut in two at any of its bytes', async (t) => {
  const relay = await startSplitRelay(t, await nginx(t));
  const options = toLocalhost(relay.port, ca, { identity: clientIdentity(clients), resume: false });
  await getPage(options);
  const wholeBytes = relay.carriedBytes();
  assert.ok(wholeBytes > 1000, String(wholeBytes));
  for (let offset = 1; offset < wholeBytes; offset++) {
    relay.cutAt([offset]);
    const { page } = await getPage(options);
    assert.match(page, /CN=screen/, `cut at ${offset}`);
  }
});

test('reads a resumed connection whose bytes arrive one by one', async (t) => {
  const relay = await startSplitRelay(t, await nginx(t, true));
  relay.cutAt(everyByte());
  const options = toLocalhost(relay.port, ca, { identity: clientIdentity(clients) });
  assert.equal((await getPage(options)).stream.sessionReused, false);
  assert.equal((await getPage(options)).stream.sessionReused, true);
});

test('reads a handshake in records of any length from one byte', async (t) => {
  for (const fragmentBytes of [1, 2, 3, 5, 64, 255, 256, 1000, MAX_RECORD_BYTES]) {
    const port = await startHostileServer(t, serverIdentity(servers), async (server) => {
      server.fragmentBytes = fragmentBytes;
      await server.handshake();
      server.send(contentTypes.applicationData, Buffer.from('hello'));
    });
    const stream = await connect(toLocalhost(port, ca, { identity: clientIdentity(clients) }));
    const received: Buffer[] = [];
    while (Buffer.concat(received).length < 5) received.push((await once(stream, 'data'))[0] as Buffer);
    assert.equal(Buffer.concat(received).toString(), 'hello', `records of ${fragmentBytes}`);
    stream.destroy();
  }
});

test('reads records of every length from 1 to 16,384 bytes, padded or not', async (t) => {
  const content = randomBytes(MAX_RECORD_BYTES);
  const sent = createHash('sha256');
  let sentBytes = 0;
  const port = await startHostileServer(t, serverIdentity(servers), async (server) => {
    await server.handshake();
    function* records(): Generator<Buffer> {
      for (let length = 1; length <= MAX_RECORD_BYTES; length++) {
        const piece = content.subarray(0, length);
        sent.update(piece);
        sentBytes += length;
        // Padding may fill a record up to the longest (RFC 8446 §5.4).
        const padding = length % 5 === 0 ? Math.min(length % 97, MAX_RECORD_BYTES - length) : 0;
        yield server.seal(contentTypes.applicationData, piece, padding);
      }
    }
    await server.pour(records());
    server.send(contentTypes.alert, Buffer.from([1, 0]));
  });
  const stream = await connect(toLocalhost(port, ca, { identity: clientIdentity(clients) }));
  const received = createHash('sha256');
  let receivedBytes = 0;
  for await (const chunk of stream) {
    received.update(chunk as Buffer);
    receivedBytes += (chunk as Buffer).length;
  }
  assert.equal(receivedBytes, (MAX_RECORD_BYTES * (MAX_RECORD_BYTES + 1)) / 2);
  assert.equal(receivedBytes, sentBytes);
  assert.equal(received.digest('hex'), sent.digest('hex'));
});

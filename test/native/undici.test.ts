import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type UndiciConnectorOptions, undiciConnector } from 'node-tss';
import { Agent, request } from 'undici';
import { startNginx } from '../support/nginx.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const MEBIBYTE = 1024 * 1024;

async function server(context: TestContext): Promise<string> {
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  context.after(nginx.stop);
  return nginx.url.replace('localhost', '127.0.0.1');
}

function agent(context: TestContext, credentials: UndiciConnectorOptions['credentials']): Agent {
  const made = new Agent({ connections: 1, connect: undiciConnector({ credentials }) });
  context.after(() => made.destroy());
  return made;
}

async function mutual(context: TestContext): Promise<{ url: string; dispatcher: Agent; connections: () => number }> {
  const key = await loadTestKey(context);
  const identity = { key, certificateChain: clientCertificate(clients, key) };
  let made = 0;
  const dispatcher = agent(context, () => {
    made++;
    return { ca: servers.certificatePem, identity };
  });
  return { url: await server(context), dispatcher, connections: () => made };
}

test('refuses to speak without TLS', async (t) => {
  const dispatcher = agent(t, () => ({}));
  await assert.rejects(request('http://127.0.0.1:1/', { dispatcher }), { code: 'ARGUMENT_INVALID' });
});

test('refuses a server that is not trusted, whatever Host header is sent', async (t) => {
  const dispatcher = agent(t, () => ({ ca: clients.certificatePem }));
  const headers = { host: 'localhost' };
  await assert.rejects(request(await server(t), { dispatcher, headers }), { code: 'SERVER_UNTRUSTED' });
});

test('makes no connection where there are no credentials', async (t) => {
  const dispatcher = agent(t, () => {
    throw new Error('this host may not see the identity');
  });
  await assert.rejects(request('https://127.0.0.1:1/', { dispatcher }), /may not see/);
});

test('keeps one connection alive over many requests', async (t) => {
  const { url, dispatcher, connections } = await mutual(t);
  for (let i = 0; i < 5; i++) {
    const { statusCode, body } = await request(url, { dispatcher });
    assert.equal(statusCode, 200);
    assert.match(await body.text(), /CN=screen/);
  }
  assert.equal(connections(), 1);
});

test('carries large bodies both ways unchanged', async (t) => {
  const { url, dispatcher } = await mutual(t);
  const sent = randomBytes(5 * MEBIBYTE);
  const put = await request(`${url}/files/large`, { dispatcher, method: 'PUT', body: sent });
  assert.equal(put.statusCode, 201);
  await put.body.dump();
  const { body } = await request(`${url}/files/large`, { dispatcher });
  const digest = createHash('sha256');
  for await (const chunk of body) digest.update(chunk as Buffer);
  assert.equal(digest.digest('hex'), createHash('sha256').update(sent).digest('hex'));
});

test('holds no more than a few buffers of a body that nobody reads', async (t) => {
  const { url, dispatcher } = await mutual(t);
  const sent = randomBytes(16 * MEBIBYTE);
  await (await request(`${url}/files/large`, { dispatcher, method: 'PUT', body: sent })).body.dump();
  const { body } = await request(`${url}/files/large`, { dispatcher });
  const beforeBytes = process.memoryUsage().arrayBuffers;
  // Other traffic proves that the event loop went round while the body stood still.
  const other = await mutual(t);
  for (let i = 0; i < 20; i++) await (await request(other.url, { dispatcher: other.dispatcher })).body.dump();
  const growthBytes = process.memoryUsage().arrayBuffers - beforeBytes;
  assert.ok(growthBytes < 4 * MEBIBYTE, `${growthBytes} bytes piled up`);
  let readBytes = 0;
  for await (const chunk of body) readBytes += (chunk as Buffer).length;
  assert.equal(readBytes, sent.length);
});

import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type ConnectOptions, connect } from 'node-tss';
import { startNginx } from '../support/nginx.ts';
import { startTinyproxy } from '../support/tinyproxy.ts';
import { authorities, clientCertificate, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const credentials = { username: 'screen', password: 'word-5e21' };

/** nginx that demands a certificate, behind tinyproxy that demands credentials. */
async function world(context: TestContext): Promise<{ options: ConnectOptions; url: string }> {
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem: clients.certificatePem });
  context.after(nginx.stop);
  const proxy = await startTinyproxy({ connectPort: nginx.port, ...credentials });
  context.after(proxy.stop);
  const options = { host: 'localhost', port: nginx.port, ca: servers.certificatePem };
  return { options: { ...options, proxy: { url: proxy.url, credentials } }, url: proxy.url };
}

test('reports what tinyproxy refuses: strangers, other ports, servers that are away', async (t) => {
  const { options, url } = await world(t);
  const wrong = { url, credentials: { ...credentials, password: 'word' } };
  for (const proxy of [{ url }, wrong]) {
    await assert.rejects(connect({ ...options, proxy }), { code: 'PROXY_REFUSED', message: /status 40[17]/ });
  }
  await assert.rejects(connect({ ...options, port: 1 }), { code: 'PROXY_REFUSED', message: /status 403/ });
  const away = connect({ ...options, host: 'no-such-host.invalid' });
  await assert.rejects(away, { code: 'PROXY_REFUSED', message: /status 50\d/ });
});

test('authenticates with the TPM key to nginx through tinyproxy', async (t) => {
  const { options } = await world(t);
  const key = await loadTestKey(t);
  const stream = await connect({ ...options, identity: { key, certificateChain: clientCertificate(clients, key) } });
  stream.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.match(await text(stream), /^HTTP\/1\.1 200 [\s\S]*CN=screen/);
});

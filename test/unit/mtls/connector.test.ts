import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { createOriginClient, type OriginClient } from '../../../electron/mtls/client.ts';
import { apiConnector, foreignConnector } from '../../../electron/mtls/connector.ts';
import { parseSettings, type Settings } from '../../../electron/settings.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startHttpsOrigin } from '../../support/https-origin.ts';
import { serverIdentity } from '../../support/tls-identities.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-connector-'));
after(() => rm(folder, { recursive: true }));
const authority = createAuthority('Test servers');
const caFile = join(folder, 'ca.pem');
await writeFile(caFile, authority.certificatePem);
const get = { method: 'GET', path: '/' } as const;

function settingsFor(origin: string, server: object = {}): Settings {
  const identity = { deviceCaFile: caFile, hostname: 'screen-1' };
  return parseSettings('settings.json', JSON.stringify({ server: { origin, caFile, ...server }, identity }), {});
}

function api(context: TestContext, origin: string, server: object = {}): OriginClient {
  const client = createOriginClient(origin, apiConnector(settingsFor(origin, server)));
  context.after(() => client.close());
  return client;
}

async function olderOrigin(context: TestContext): Promise<string> {
  const { certificatePem, keyPem } = serverIdentity(authority);
  const server = createServer({ cert: certificatePem, key: keyPem, maxVersion: 'TLSv1.2' }, (_request, response) =>
    response.end('old'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('speaks TLS 1.2 to nobody, unless the settings allow it for the API origin', async (t) => {
  const origin = await olderOrigin(t);
  await assert.rejects(api(t, origin).call(get), { code: 'TLS_PROTOCOL' });
  const allowed = settingsFor(origin, { allowTls12: true });
  const foreign = createOriginClient(origin, foreignConnector(allowed));
  t.after(() => foreign.close());
  await assert.rejects(foreign.call(get), { code: 'TLS_PROTOCOL' });
  assert.equal((await api(t, origin, { allowTls12: true }).call(get)).text(), 'old');
});

test('follows a changed file of authorities without a restart', async (t) => {
  const changing = join(folder, 'changing.pem');
  await writeFile(changing, createAuthority('Somebody else').certificatePem);
  const { origin, close } = await startHttpsOrigin(authority, (_request, response) => response.end('well'));
  t.after(close);
  const client = api(t, origin, { caFile: changing });
  await assert.rejects(client.call(get), { code: 'SERVER_UNTRUSTED' });
  await writeFile(changing, 'damaged');
  await assert.rejects(client.call(get), { code: 'TRUST_INVALID' });
  await rm(changing);
  await assert.rejects(client.call(get), { code: 'TRUST_INVALID' });
  await writeFile(changing, authority.certificatePem);
  assert.equal((await client.call(get)).text(), 'well');
});

test('knows a server of another name or out of its dates from one that is not trusted', async (t) => {
  const origin = async (names: readonly string[], dates?: { fromDays: number; toDays: number }): Promise<string> => {
    const { certificatePem, keyPem } = serverIdentity(authority, names, dates);
    const server = createServer({ cert: certificatePem, key: keyPem });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  await assert.rejects(api(t, await origin(['other.example'])).call(get), { code: 'SERVER_WRONG_HOST' });
  const expired = await origin(['127.0.0.1'], { fromDays: -9, toDays: -1 });
  await assert.rejects(api(t, expired).call(get), { code: 'SERVER_EXPIRED' });
});

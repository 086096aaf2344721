import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { softwareKey } from 'node-tss';
import { createOriginClient } from '../../../electron/mtls/client.ts';
import { apiConnector, foreignConnector } from '../../../electron/mtls/connector.ts';
import { proxyOf } from '../../../electron/mtls/proxy.ts';
import { parseSettings, type Settings } from '../../../electron/settings.ts';
import { createAuthority, createKey, keyPem } from '../../support/certificates.ts';
import { startConnectProxy } from '../../support/connect-proxy.ts';
import { startHttpsOrigin } from '../../support/https-origin.ts';
import { clientCertificate } from '../../support/tls-identities.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-proxy-'));
after(() => rm(folder, { recursive: true }));
const authority = createAuthority('Test servers');
const caFile = join(folder, 'ca.pem');
await writeFile(caFile, authority.certificatePem);
const url = 'http://proxy.lan:3128';

async function credentials(content: string, mode = 0o600): Promise<string> {
  const file = join(await mkdtemp(join(folder, 'case-')), 'credentials');
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

function settingsWith(origin: string, more: object): Settings {
  const identity = { deviceCaFile: caFile, hostname: 'screen-1' };
  return parseSettings('settings.json', JSON.stringify({ server: { origin, caFile }, identity, ...more }), {});
}

const withFile = (credentialsFile: string) => proxyOf({ proxy: { url, bypass: [], credentialsFile } });

for (const mode of [0o604, 0o644, 0o660, 0o666, 0o602, 0o601, 0o610]) {
  test(`refuses credentials in a file of mode ${mode.toString(8)}, with the remedy`, async () => {
    const file = await credentials('user:word-5e21', mode);
    await assert.rejects(withFile(file), (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, 'SETTINGS_INVALID');
      assert.match(thrown.message, /^proxy\.credentialsFile: .*chmod 0640/);
      assert.ok(!inspect(thrown).includes('word-5e21'));
      return true;
    });
  });
}

for (const content of ['', '\n', 'word-5e21', ':word-5e21', 'user:word-5e21\nmore', 'a\0:b', `u:${'x'.repeat(1024)}`]) {
  test(`refuses credentials such as ${JSON.stringify(content.slice(0, 20))} without repeating them`, async () => {
    await assert.rejects(withFile(await credentials(content)), (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, 'SETTINGS_INVALID');
      assert.ok(!inspect(thrown).includes('word-5e21'));
      return true;
    });
  });
}

test('refuses a file that is not there, and judges a link by what it leads to', async () => {
  const absent = join(folder, 'absent');
  await assert.rejects(withFile(absent), { code: 'SETTINGS_INVALID', message: /ENOENT/ });
  const link = join(folder, 'link');
  await symlink(await credentials('user:word', 0o644), link);
  await assert.rejects(withFile(link), { code: 'SETTINGS_INVALID', message: /chmod/ });
});

test('reads user and password, the latter with colons and whatever else', async () => {
  for (const mode of [0o400, 0o440, 0o600, 0o640]) {
    const read = await withFile(await credentials('screen:pa:ss wörd\n', mode));
    assert.deepEqual(read, { url, bypass: [], credentials: { username: 'screen', password: 'pa:ss wörd' } });
  }
  assert.equal(await proxyOf({ proxy: undefined }), undefined);
});

interface World {
  readonly origin: string;
  /** Common names of the certificates that were shown, `nobody` for none. */
  readonly shown: string[];
}

async function origin(context: TestContext): Promise<World> {
  const shown: string[] = [];
  const server = await startHttpsOrigin(authority, (request, response) => {
    shown.push(`${(request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody'}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  context.after(() => server.close());
  return { origin: server.origin, shown };
}

const get = { method: 'GET', path: '/' } as const;

test('a proxy that refuses is an error of its own, without credentials in it', async (t) => {
  const { origin: api, shown } = await origin(t);
  const proxy = await startConnectProxy({ credentials: { username: 'screen', password: 'right' } });
  t.after(() => proxy.stop());
  const credentialsFile = await credentials('screen:word-5e21');
  const client = createOriginClient(
    api,
    apiConnector(settingsWith(api, { proxy: { url: proxy.url, credentialsFile } })),
  );
  t.after(() => client.close());
  await assert.rejects(client.call(get), (thrown: Error & { code?: string }) => {
    assert.equal(thrown.code, 'PROXY_REFUSED');
    const everything = inspect(thrown, { depth: 10, showHidden: true });
    assert.ok(!everything.includes('word-5e21'));
    assert.ok(!everything.includes(Buffer.from('screen:word-5e21').toString('base64')));
    return true;
  });
  // Put right while the player runs.
  await writeFile(credentialsFile, 'screen:right\n');
  assert.equal((await client.call(get)).status, 200);
  assert.deepEqual([proxy.tunnels, shown], [[new URL(api).host], ['nobody']]);
});

test('the device certificate goes through the proxy to the API alone', async (t) => {
  const key = softwareKey(keyPem(createKey().privateKey));
  const certificateChain = clientCertificate(createAuthority('Test clients'), key, 'screen-1');
  const world = await origin(t);
  const proxy = await startConnectProxy();
  t.after(() => proxy.stop());
  const settings = settingsWith(world.origin, { proxy: { url: proxy.url } });
  const api = createOriginClient(
    world.origin,
    apiConnector(settings, () => ({ key, certificateChain })),
  );
  t.after(() => api.close());
  await api.call(get);
  assert.deepEqual([proxy.tunnels.length, world.shown], [1, ['screen-1']]);
  const foreign = createOriginClient(world.origin, foreignConnector(settings));
  t.after(() => foreign.close());
  // Foreign origins are judged by the system's authorities, which do not know this one.
  await assert.rejects(foreign.call(get), { code: 'SERVER_UNTRUSTED' });
  assert.deepEqual([proxy.tunnels.length, world.shown], [2, ['screen-1']]);
});

test('an exception is reached without the proxy', async (t) => {
  const world = await origin(t);
  const settings = settingsWith(world.origin, { proxy: { url: 'http://127.0.0.1:1', bypass: ['127.0.0.0/8'] } });
  const direct = createOriginClient(world.origin, apiConnector(settings));
  t.after(() => direct.close());
  assert.equal((await direct.call(get)).status, 200);
  const through = createOriginClient(
    world.origin,
    apiConnector(settingsWith(world.origin, { proxy: { url: 'http://127.0.0.1:1' } })),
  );
  t.after(() => through.close());
  await assert.rejects(through.call(get), { code: 'PROXY_UNREACHABLE' });
});

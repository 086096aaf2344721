import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { defaultSettingsFile, parseSettings, readSettings, settingsFile } from '../../../electron/settings.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-settings-'));
after(() => rm(folder, { recursive: true }));

const least = {
  server: { origin: 'https://signage.example' },
  identity: { deviceCaFile: '/etc/ca.pem', hostname: 'screen-1' },
};
const file = '/etc/a.json';
const parse = (document: unknown, env: NodeJS.ProcessEnv = {}) => parseSettings(file, JSON.stringify(document), env);

/** Refused with a message that names the file, the key and a reason. */
function refuses(document: unknown, key: string, env: NodeJS.ProcessEnv = {}): void {
  assert.throws(
    () => parse(document, env),
    (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, 'SETTINGS_INVALID');
      assert.ok(thrown.message.startsWith(`${file}: `), thrown.message);
      assert.ok(thrown.message.includes(key), `${thrown.message} names ${key}`);
      assert.ok(thrown.message.length > file.length + key.length + 5, thrown.message);
      return true;
    },
  );
}

/** The least settings with one section changed. */
const withSection = (section: string, change: object) => ({
  ...least,
  [section]: { ...(least as Record<string, object>)[section], ...change },
});

for (const [section, change, key] of [
  ['server', { origin: 'http://signage.example' }, 'server.origin'],
  ['server', { origin: 'https://signage.example/' }, 'server.origin'],
  ['server', { origin: 'https://signage.example/api' }, 'server.origin'],
  ['server', { origin: 'https://user@signage.example' }, 'server.origin'],
  ['server', { origin: 'https://Signage.example' }, 'server.origin'],
  ['server', { origin: 'signage.example' }, 'server.origin'],
  ['server', { origin: null }, 'server.origin'],
  ['server', { origin: undefined }, 'server.origin'],
  ['server', { caFile: 'ca.pem' }, 'server.caFile'],
  ['server', { allowTls12: 'true' }, 'server.allowTls12'],
  ['updates', {}, 'updates.feed'],
  ['updates', { feed: 'https://a.example/' }, 'updates.publicKeyFile'],
  ['updates', { feed: 'http://a.example/', publicKeyFile: '/k' }, 'updates.feed'],
  ['updates', { feed: 'https://a.example/x.yml', publicKeyFile: '/k' }, 'updates.feed'],
  ['updates', { feed: 'https://u:p@a.example/', publicKeyFile: '/k' }, 'updates.feed'],
  ['updates', { feed: 'https://a.example/', publicKeyFile: 'k' }, 'updates.publicKeyFile'],
  ['updates', { feed: 'https://a.example/', publicKeyFile: '/k', healthySeconds: 1 }, 'updates.healthySeconds'],
  ['proxy', {}, 'proxy.url'],
  ['proxy', { url: 'proxy.lan:3128' }, 'proxy.url'],
  ['proxy', { url: 'https://proxy.lan:3128' }, 'proxy.url'],
  ['proxy', { url: 'socks5://proxy.lan' }, 'proxy.url'],
  ['proxy', { url: 'http://proxy.lan/pac' }, 'proxy.url'],
  ['proxy', { url: 'http://proxy.lan', credentialsFile: 'secret' }, 'proxy.credentialsFile'],
  ['proxy', { url: 'http://proxy.lan', password: 'secret' }, 'password'],
  ['proxy', { url: 'http://proxy.lan', bypass: 'localhost' }, 'proxy.bypass'],
  ['proxy', { url: 'http://proxy.lan', bypass: ['a', '*'] }, 'proxy.bypass.1'],
  ['proxy', { url: 'http://proxy.lan', bypass: ['10.0.0.0/33'] }, 'proxy.bypass.0'],
  ['proxy', { url: 'http://proxy.lan', bypass: ['lan/8'] }, 'proxy.bypass.0'],
  ['proxy', { url: 'http://proxy.lan', bypass: ['10.0.0.0/8/8'] }, 'proxy.bypass.0'],
  ['proxy', { url: 'http://proxy.lan', bypass: [''] }, 'proxy.bypass.0'],
  ['server', { claimUrl: 'javascript:alert(1)' }, 'server.claimUrl'],
  ['identity', { deviceCaFile: '../ca.pem' }, 'identity.deviceCaFile'],
  ['identity', { deviceCaFile: undefined }, 'identity.deviceCaFile'],
  ['identity', { tcti: '' }, 'identity.tcti'],
  ['display', { fit: 'stretch' }, 'display.fit'],
  ['display', { rotate: 45 }, 'display.rotate'],
  ['display', { rotate: '90' }, 'display.rotate'],
  ['display', { language: 'tlh' }, 'display.language'],
  ['display', { theme: 'pink' }, 'display.theme'],
  ['sound', { volume: 101 }, 'sound.volume'],
  ['sound', { volume: 0.5 }, 'sound.volume'],
  ['sound', { muted: 'no' }, 'sound.muted'],
  ['operator', { pin: '271828' }, 'pin'],
  ['operator', { pinFile: 'pin' }, 'operator.pinFile'],
  ['operator', { pinHash: '271828' }, 'operator.pinHash'],
  ['operator', { pinFile: '/etc/pin', pinHash: '$scrypt$' }, 'pinFile'],
  ['operator', { chord: 'O' }, 'operator.chord'],
  ['operator', { chord: 'Control+O' }, 'operator.chord'],
  ['operator', { chord: 'Control+Alt+Escape' }, 'operator.chord'],
  ['identity', { allowSoftwareKey: 'true' }, 'identity.allowSoftwareKey'],
  ['identity', { allowSoftwareKey: 1 }, 'identity.allowSoftwareKey'],
  ['identity', { hostname: 'a'.repeat(65) }, 'identity.hostname'],
  ['identity', { hostname: '-screen' }, 'identity.hostname'],
  ['identity', { hostname: 'screen_1' }, 'identity.hostname'],
  ['identity', { hostname: 'screen..1' }, 'identity.hostname'],
  ['identity', { hostname: 'CN=x, O=y' }, 'identity.hostname'],
  ['state', { directory: 'var' }, 'state.directory'],
  ['store', { budgetBytes: 1 }, 'store.budgetBytes'],
  ['store', { budgetBytes: 1e300 }, 'store.budgetBytes'],
  ['network', { allowHttpFor: ['https://media.lan'] }, 'network.allowHttpFor.0'],
  ['network', { allowHttpFor: ['http://media.lan/'] }, 'network.allowHttpFor.0'],
  ['network', { allowHttpFor: 'http://media.lan' }, 'network.allowHttpFor'],
  ['display', { fit: 'stretch' }, 'display.fit'],
  ['policy', { whenRevoked: 'explode' }, 'policy'],
  ['policy', { graceSeconds: -1 }, 'policy.graceSeconds'],
  ['log', { level: 'silent' }, 'log.level'],
] as const)
  test(`refuses ${section}: ${JSON.stringify(change)}`, () => refuses(withSection(section, change), key));

test('refuses keys that nobody knows, by their names', () => {
  refuses({ ...least, colour: 'red' }, 'colour');
  refuses(withSection('server', { insecure: true }), 'insecure');
  refuses(withSection('identity', { privateKeyFile: '/etc/key.pem' }), 'privateKeyFile');
  refuses(JSON.parse(`{"__proto__":{},${JSON.stringify(least).slice(1)}`), '__proto__');
});

test('names every fault of a file at once', () => {
  const document = { server: { origin: 'x' }, identity: { deviceCaFile: 'y', tcti: 1 } };
  for (const key of ['server.origin', 'identity.deviceCaFile', 'identity.tcti']) refuses(document, key);
});

test('refuses what is no JSON object', () => {
  for (const text of ['', '{', '[]', 'null', '"x"', '1'])
    assert.throws(
      () => parseSettings(file, text, {}),
      { code: 'SETTINGS_INVALID', message: /^\/etc\/a\.json: / },
      text,
    );
});

test('a file that is not there is named, with what to do', () => {
  const absent = join(folder, 'absent.json');
  assert.throws(() => readSettings([`--settings=${absent}`], {}), {
    code: 'SETTINGS_INVALID',
    message: `${absent}: ENOENT: create it or name another with --settings`,
  });
  assert.throws(() => readSettings([], { SIGNET_SETTINGS: folder }), { message: new RegExp(`^${folder}: EISDIR`) });
});

test('no name in the environment can ask for a software key', () => {
  const env = Object.fromEntries(
    [
      'IDENTITY_ALLOW_SOFTWARE_KEY',
      'ALLOW_SOFTWARE_KEY',
      'IDENTITY_ALLOWSOFTWAREKEY',
      'identity.allowSoftwareKey',
    ].flatMap((name) => [
      [`SIGNET_${name}`, 'true'],
      [name, 'true'],
    ]),
  );
  assert.equal(parse(least, env).identity.allowSoftwareKey, false);
  assert.equal(parse(withSection('identity', { allowSoftwareKey: true }), env).identity.allowSoftwareKey, true);
});

test('refuses credentials in the proxy’s address, and does not repeat them', () => {
  const document = withSection('proxy', { url: 'http://screen:hunter2@proxy.lan:3128' });
  refuses(document, 'proxy.url');
  assert.throws(
    () => parse(document),
    (thrown: Error) => !/hunter2/.test(inspect(thrown, { depth: 10 })),
  );
});

test('takes a proxy with its exceptions, from the file and from the environment', () => {
  const bypass = ['localhost', '.lan', 'Media.example', '10.0.0.0/8', 'fd00::/8', '192.0.2.1'];
  const url = 'http://proxy.lan:3128';
  assert.deepEqual(parse(withSection('proxy', { url, bypass })).proxy, { url, bypass });
  assert.deepEqual(parse(least, { SIGNET_PROXY_URL: url }).proxy, { url, bypass: [] });
});

test('the environment is checked like the file', () => {
  refuses(least, 'server.origin', { SIGNET_SERVER_ORIGIN: 'http://evil.example' });
  refuses(least, 'proxy.url', { SIGNET_PROXY_URL: 'http://user:word@proxy.lan' });
  refuses(least, 'state.directory', { SIGNET_STATE_DIRECTORY: 'relative' });
  refuses(least, 'log.level', { SIGNET_LOG_LEVEL: '' });
});

test('the environment overrides one key and leaves its neighbours', () => {
  const settings = parse(withSection('server', { caFile: '/etc/server.pem' }), {
    SIGNET_SERVER_ORIGIN: 'https://other.example',
    SIGNET_IDENTITY_TCTI: 'swtpm:path=/run/tpm',
    SIGNET_IDENTITY_HOSTNAME: 'other',
    SIGNET_STATE_DIRECTORY: '/srv/state',
    SIGNET_LOG_LEVEL: 'debug',
  });
  assert.deepEqual(settings.server, {
    origin: 'https://other.example',
    caFile: '/etc/server.pem',
    allowTls12: false,
  });
  assert.deepEqual([settings.identity.tcti, settings.identity.hostname], ['swtpm:path=/run/tpm', 'other']);
  assert.deepEqual([settings.state.directory, settings.log.level], ['/srv/state', 'debug']);
});

test('the command line names the file, else the environment, else it is the default', () => {
  const env = { SIGNET_SETTINGS: '/b' };
  assert.equal(settingsFile(['--settings=/a'], env), '/a');
  assert.equal(settingsFile(['.', '--settings', '/a'], env), '/a');
  assert.equal(settingsFile(['--settingsfile=/a'], env), '/b');
  assert.equal(settingsFile([], {}), defaultSettingsFile);
  assert.throws(() => settingsFile(['--settings'], env), { code: 'SETTINGS_INVALID' });
});

test('the least file is enough, and every default is the careful one', async () => {
  const path = join(folder, 'least.json');
  await writeFile(path, JSON.stringify(least));
  const settings = readSettings(['--settings', path], {});
  assert.equal(settings.identity.allowSoftwareKey, false);
  assert.equal(settings.identity.tcti, 'device:/dev/tpmrm0');
  assert.equal(settings.server.allowTls12, false);
  assert.equal(settings.proxy, undefined);
  assert.deepEqual(settings.network.allowHttpFor, []);
  assert.equal(settings.policy.whenRevoked, 'standby');
});

test('a host name is lower case, whoever wrote it', () => {
  assert.equal(parse(withSection('identity', { hostname: 'Screen-1.Lobby' })).identity.hostname, 'screen-1.lobby');
});

test('nothing of the settings can be changed later', () => {
  const settings = parse(least);
  for (const part of [settings, ...Object.values(settings), settings.network.allowHttpFor])
    assert.ok(Object.isFrozen(part));
});

test('the screens speak the language of the settings, else that of the environment, else English', () => {
  const language = (env: NodeJS.ProcessEnv, display = {}) => parse({ ...least, display }, env).display.language;
  assert.equal(language({ LANG: 'de_AT.UTF-8' }, { language: 'fr' }), 'fr');
  assert.equal(language({ LANG: 'de_AT.UTF-8' }), 'de');
  assert.equal(language({ LANG: 'de_AT.UTF-8', LC_ALL: 'ja_JP.UTF-8' }), 'ja');
  assert.equal(language({ LANG: 'de_AT.UTF-8', LC_MESSAGES: 'ar', LC_ALL: '' }), 'ar');
  assert.equal(language({ LANG: 'tlh' }), 'en');
  assert.equal(language({ LANG: 'C.UTF-8' }), 'en');
  assert.equal(language({}), 'en');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSafeStart, refusedSwitches } from '../../../electron/shell/switches.ts';

const dangerous = [
  'no-sandbox',
  'disable-sandbox',
  'disable-gpu-sandbox',
  'disable-setuid-sandbox',
  'disable-namespace-sandbox',
  'disable-seccomp-filter-sandbox',
  'no-zygote',
  'no-zygote-sandbox',
  'single-process',
  'in-process-gpu',
  'disable-web-security',
  'allow-running-insecure-content',
  'allow-file-access-from-files',
  'ignore-certificate-errors',
  'ignore-certificate-errors-spki-list',
  'disable-site-isolation-trials',
  'disable-site-isolation-for-policy',
  'host-resolver-rules',
  'host-rules',
  'proxy-server',
  'proxy-pac-url',
  'load-extension',
  'disable-extensions-except',
  'js-flags',
  'renderer-cmd-prefix',
  'gpu-launcher',
  'utility-cmd-prefix',
  'browser-subprocess-path',
  'user-data-dir',
  'log-net-log',
  'ssl-key-log-file',
  'auth-server-whitelist',
  'enable-logging',
  'unsafely-treat-insecure-origin-as-secure',
  'enable-blink-features',
];
const debugging = [
  'remote-debugging-port',
  'remote-debugging-pipe',
  'remote-debugging-address',
  'remote-allow-origins',
  'inspect',
  'inspect-brk',
  'inspect-port',
  'inspect-publish-uid',
  'inspect_brk',
  'debug',
  'debug-brk',
  'enable-automation',
];

for (const name of dangerous)
  test(`refuses --${name} in every build, with and without a value, with one dash and in capitals`, () => {
    for (const testBuild of [true, false])
      for (const argument of [`--${name}`, `--${name}=x`, `-${name}`, `--${name.toUpperCase()}`, `--${name}=`])
        assert.deepEqual(refusedSwitches([argument], testBuild), [name], argument);
  });

for (const name of debugging)
  test(`refuses --${name} outside test builds alone`, () => {
    for (const argument of [`--${name}`, `--${name}=0`, `-${name}`, `--${name.toUpperCase()}`]) {
      assert.deepEqual(refusedSwitches([argument], false), [name], argument);
      assert.deepEqual(refusedSwitches([argument], true), [], argument);
    }
  });

test('refuses a dangerous switch wherever it stands, and names them all', () => {
  const argv = ['--settings', '/etc/a.json', '--', '--no-sandbox', 'x', '--js-flags=--expose-gc'];
  assert.deepEqual(refusedSwitches(argv, true), ['no-sandbox', 'js-flags']);
});

test('lets harmless arguments and switches through', () => {
  const argv = ['.', '/opt/no-sandbox', '--settings=/etc/a.json', '--ozone-platform=x11', '-', '--', '', '--kiosk'];
  assert.deepEqual(refusedSwitches(argv, false), []);
});

test('the values of switches are never repeated', () => {
  assert.throws(
    () => assertSafeStart(['--proxy-server=user:password@proxy'], {}),
    (thrown: Error) => {
      assert.equal((thrown as { code?: string }).code, 'SWITCH_REFUSED');
      return thrown.message.includes('--proxy-server') && !thrown.message.includes('password');
    },
  );
});

test('refuses an environment that would open the process, naming the variables and not their values', () => {
  for (const name of ['NODE_OPTIONS', 'SSLKEYLOGFILE', 'ELECTRON_NO_ASAR', 'ELECTRON_ENABLE_LOGGING'])
    assert.throws(
      () => assertSafeStart([], { [name]: 'value' }),
      (thrown: Error) => {
        assert.equal((thrown as { code?: string }).code, 'SWITCH_REFUSED');
        return thrown.message.includes(name) && !thrown.message.includes('value');
      },
    );
});

test('an empty variable is none', () => {
  assertSafeStart(['--settings=/a'], { NODE_OPTIONS: '', PATH: '/bin' });
});

test('a test build lets the inspector in, which the tests attach to', () => {
  assertSafeStart(['--inspect=0', '--remote-debugging-port=0'], {});
});

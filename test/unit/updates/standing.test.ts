import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unfitFor } from '../../../electron/updates/standing.ts';
import { nextEnvironment } from '../../../electron/updates/supervisor.ts';
import { isHealthy } from '../../../electron/updates/trial.ts';

const desktop = {
  env: { APPIMAGE: '/home/a/x.AppImage' },
  cgroup: '/user.slice/x.scope',
  ancestors: ['bash', 'systemd'],
};

test('refuses where there is no AppImage, where a service manager restarts it, and where the session ends with it', () => {
  const unfit = (env: Record<string, string>, cgroup = desktop.cgroup, ancestors = desktop.ancestors) =>
    unfitFor({ env: { ...desktop.env, ...env }, cgroup, ancestors });
  assert.equal(unfitFor({ ...desktop, env: {} }), 'not-an-appimage');
  assert.equal(unfit({ NOTIFY_SOCKET: '/run/systemd/notify' }), 'service-manager');
  assert.equal(unfit({ INVOCATION_ID: 'a' }, '/system.slice/sign.service'), 'service-manager');
  assert.equal(unfit({}, desktop.cgroup, ['sh', 'cage']), 'session-ends');
  assert.equal(unfit({}), null);
  const session = '/user.slice/user-1000.slice/user@1000.service/session.slice/org.gnome.Shell@wayland.service';
  assert.equal(unfit({ INVOCATION_ID: 'a' }, session), null);
});

test('a new version is healthy when it shows what the old one showed, and not when it only lives', () => {
  const cases: readonly [expected: string, state: string, wasShown: boolean, healthy: boolean][] = [
    ['playing', 'starting', false, false],
    ['playing', 'playing', false, false],
    ['playing', 'playing', true, true],
    ['playing', 'registering', false, false],
    ['playing', 'trouble', true, false],
    ['playing', 'standby', false, true],
    ['registering', 'starting', false, false],
    ['registering', 'registering', false, true],
    ['trouble', 'trouble', false, true],
    ['standby', 'playing', false, false],
  ];
  for (const [expected, state, wasShown, healthy] of cases)
    assert.equal(isHealthy(expected, state, wasShown), healthy, `${expected} → ${state}, ${wasShown}`);
});

test('the next player gets nothing of the present image or try', () => {
  const env = {
    APPIMAGE: '/home/a/x.AppImage',
    APPDIR: '/tmp/signet-mount-1',
    ARGV0: 'x',
    OWD: '/',
    LD_LIBRARY_PATH: '/tmp/signet-mount-1/usr/lib:/opt/own',
    SIGNET_UPDATE_TRIAL: 'a',
    SIGNET_SETTINGS: '/etc/s.json',
    DISPLAY: ':0',
  };
  assert.deepEqual(nextEnvironment(env), {
    LD_LIBRARY_PATH: '/opt/own',
    SIGNET_SETTINGS: '/etc/s.json',
    DISPLAY: ':0',
  });
  assert.equal('LD_LIBRARY_PATH' in nextEnvironment({ ...env, LD_LIBRARY_PATH: '/tmp/signet-mount-1/usr/lib' }), false);
});

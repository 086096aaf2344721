import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkClock,
  checkDisk,
  checkDisplay,
  checkGraphics,
  checkGroup,
  checkSandbox,
  type Machine,
} from '../../../electron/command/machine.ts';

interface World {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly usable?: readonly string[];
  readonly owners?: Readonly<Record<string, { userId: number; mode: number }>>;
  readonly freeBytes?: number;
  readonly groupIds?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
}

const nowMs = Date.UTC(2026, 10, 26);

const machine = (world: World): Machine => ({
  userId: 991,
  userName: 'signet',
  groupIds: world.groupIds ?? [991],
  processId: 10,
  nowMs,
  env: world.env ?? {},
  read: (path) => world.files?.[path],
  link: (path) => world.links?.[path],
  list: (path) => world.folders?.[path] ?? [],
  usable: (path) => world.usable?.includes(path) ?? false,
  owner: (path) => world.owners?.[path],
  freeBytes: () => world.freeBytes,
});

const device = '/dev/tpmrm0';
const there = { owners: { [device]: { userId: 0, mode: 0o660 } } };
const group = (members: string) => ({ '/etc/group': `root:x:0:\ntss:x:101:${members}\n` });

test('names the command that puts the user into group tss', () => {
  const check = checkGroup(machine({ ...there, files: group('other') }), `device:${device}`);
  assert.equal(check.verdict, 'failed');
  assert.match(check.remedy ?? '', /adduser signet tss/);
});

test('tells a membership that this session does not have yet from a missing one', () => {
  const check = checkGroup(machine({ ...there, files: group('a,signet') }), `device:${device}`);
  assert.match(`${check.finding} ${check.remedy}`, /joined tss after this session began log out/);
});

test('tells a device of the wrong group from a missing membership', () => {
  const check = checkGroup(machine({ ...there, files: group('signet'), groupIds: [101] }), `device:${device}`);
  assert.match(check.remedy ?? '', /tpm-udev/);
});

test('fails where there is a device and no group', () => {
  assert.match(checkGroup(machine({ ...there, files: {} }), `device:${device}`).finding, /no group tss/);
});

test('finds group tss well where the device can be used, and needless elsewhere', () => {
  assert.equal(checkGroup(machine({ ...there, usable: [device] }), `device:${device}`).verdict, 'ok');
  assert.equal(checkGroup(machine({}), 'swtpm:path=/run/tpm').verdict, 'ok');
  assert.equal(checkGroup(machine({}), `device:${device}`).verdict, 'warning');
});

const zygote = {
  '/proc/10/task/10/children': '11 12 ',
  '/proc/12/cmdline': '/opt/signet-player\0--type=zygote\0',
};

test('takes the sandbox for working only where a helper is in a user namespace of its own', () => {
  const own = { '/proc/self/ns/user': 'user:[1]' };
  assert.equal(
    checkSandbox(machine({ files: zygote, links: { ...own, '/proc/12/ns/user': 'user:[2]' } })).verdict,
    'ok',
  );
  const same = { ...own, '/proc/12/ns/user': 'user:[1]' };
  const files = { ...zygote, '/proc/sys/user/max_user_namespaces': '1000' };
  assert.match(checkSandbox(machine({ files, links: same })).finding, /no user namespace of their own/);
  assert.equal(checkSandbox(machine({ files: zygote, links: own })).verdict, 'failed');
});

test('names the kernel setting that forbids user namespaces', () => {
  const files = { '/proc/sys/user/max_user_namespaces': '9', '/proc/sys/kernel/unprivileged_userns_clone': '0\n' };
  assert.match(checkSandbox(machine({ files })).finding, /unprivileged_userns_clone is 0/);
  const none = { '/proc/sys/user/max_user_namespaces': '0\n' };
  assert.match(checkSandbox(machine({ files: none })).finding, /gives no user namespaces/);
});

test('tells a GPU that cannot be used from none, and a usable one from both', () => {
  const folders = { '/dev/dri': ['card0', 'renderD128'] };
  assert.match(checkGraphics(machine({})).finding, /no GPU/);
  assert.match(checkGraphics(machine({ folders })).remedy ?? '', /adduser signet render/);
  assert.equal(checkGraphics(machine({ folders, usable: ['/dev/dri/renderD128'] })).verdict, 'ok');
});

test('finds the connected display, and tells none connected from no adapter', () => {
  const folders = { '/sys/class/drm': ['card0', 'card0-HDMI-A-1', 'card0-DP-1', 'version'] };
  const connected = { '/sys/class/drm/card0-HDMI-A-1/status': 'connected\n' };
  assert.equal(checkDisplay(machine({ folders, files: connected })).finding, 'HDMI-A-1 connected');
  assert.match(checkDisplay(machine({ folders })).finding, /no display is connected/);
  assert.match(checkDisplay(machine({})).finding, /neither/);
  assert.equal(checkDisplay(machine({ env: { DISPLAY: ':1' } })).verdict, 'ok');
});

const state = '/var/lib/signet-player';
const disk = (mode: number, freeBytes: number, userId = 991) =>
  checkDisk(machine({ owners: { [state]: { userId, mode } }, usable: [state], freeBytes }), state, 8 * 2 ** 30);

test('judges the state folder: missing, another’s, open to others, full, smaller than the budget, fine', () => {
  assert.match(checkDisk(machine({}), state, 0).remedy ?? '', /install -d -m 700/);
  assert.match(disk(0o40700, 2 ** 40, 0).finding, /another user/);
  assert.match(disk(0o40750, 2 ** 40).remedy ?? '', /chmod 700/);
  assert.match(disk(0o40700, 2 ** 20).finding, /only 1 MiB free/);
  assert.match(disk(0o40700, 2 ** 30).finding, /1\.0 GiB free, store\.budgetBytes allows 8\.0 GiB/);
  assert.equal(disk(0o40700, 2 ** 40).verdict, 'ok');
});

test('judges the clock by the server’s, else by synchronisation, and never earlier than the program', () => {
  const verdict = (serverMs?: number, world: World = {}) => checkClock(machine(world), nowMs - 1, serverMs).verdict;
  assert.equal(checkClock(machine({}), nowMs + 1, nowMs).verdict, 'failed');
  assert.equal(verdict(nowMs + 400_000), 'failed');
  assert.equal(verdict(nowMs - 60_000), 'warning');
  assert.equal(verdict(nowMs - 900), 'ok');
  assert.equal(verdict(), 'warning');
  assert.equal(verdict(undefined, { owners: { '/run/systemd/timesync/synchronized': { userId: 0, mode: 0 } } }), 'ok');
});

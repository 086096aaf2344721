import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildModule } from './build-module.ts';

const { assertTargets, machineOf } = await buildModule('package/machine.mjs');
const { unpackClosedNetworkElectron } = await buildModule('bootstrap/closed-network-electron.mjs');

test('makes packages for this kind of machine, unless told otherwise', () => {
  const machine = machineOf(undefined);
  assert.equal(machine.arch, process.arch);
  assert.equal(machine.isOther, false);
  assert.doesNotThrow(() => assertTargets(machine, ['deb', 'AppImage']));
  assert.equal(machineOf('arm64', 'arm64').isOther, false);
});

test('makes the .deb for arm64 on x64, with an addon, a runtime and tools of its own', () => {
  const here = machineOf('x64', 'x64');
  const machine = machineOf('arm64', 'x64');
  assert.equal(machine.arch, 'arm64');
  assert.equal(machine.isOther, true);
  assert.doesNotThrow(() => assertTargets(machine, ['deb']));
  for (const part of ['addon', 'electron', 'strip']) assert.notEqual(machine[part], here[part]);
});

test('refuses an AppImage for another kind of machine, and says what can be made', () => {
  const machine = machineOf('arm64', 'x64');
  assert.throws(() => assertTargets(machine, ['deb', 'AppImage']), { name: 'SetupError', remedy: /--deb/ });
});

test('refuses kinds of machines that nothing can be made for here', () => {
  assert.throws(() => machineOf('riscv64', 'x64'), { name: 'SetupError', remedy: /--arch arm64/ });
  assert.throws(() => machineOf('x64', 'arm64'), { name: 'SetupError', remedy: /for x64 are made on one/ });
});

test('never takes the closed-network Electron for another kind of machine, and names the way to the official one', async () => {
  await assert.rejects(unpackClosedNetworkElectron('/nonexistent', 'arm64'), {
    name: 'SetupError',
    message: /no closed-network Electron for arm64/,
    remedy: /ELECTRON_MIRROR/,
  });
});

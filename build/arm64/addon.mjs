import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { headersOfThisNode } from '../bootstrap/addon.mjs';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { must, run } from '../bootstrap/command.mjs';
import { readStamp, treeDigest } from '../bootstrap/digest.mjs';
import { narrate, SetupError } from '../bootstrap/narration.mjs';
import { unpackArm64Packages, versionOfUnpacked } from './debian-files.mjs';

const folder = inCheckout('.runtime/arm64');
/** Headers and libraries that the addon is compiled and linked against. */
const sysroot = path.join(folder, 'sysroot');
const sources = path.join(folder, 'native');
const copied = ['binding.gyp', 'package.json', 'src'];
/** Of Debian 12, so that the addon runs there and on everything newer. */
const packages = ['libssl-dev', 'libtss2-dev', 'libc6-dev', 'libstdc++-12-dev'];

/** The compiled addon. */
export const arm64Addon = path.join(sources, 'build/Release/node_tss.node');

/** @param {string} name of a Debian package that is linked in @returns {Promise<string>} its version */
export const arm64LibraryVersion = (name) => versionOfUnpacked(sysroot, name);

/**
 * Compile native/ for arm64 with Debian's cross compiler, when its sources, the libraries or the compiler changed.
 * @param {{fresh: boolean}} options fresh: fetch the libraries anew, as OpenSSL is linked in with the faults it has
 * @throws {SetupError}
 */
export async function provideArm64Addon({ fresh }) {
  if (fresh || !existsSync(sysroot)) {
    const what = 'the libraries to link against';
    await unpackArm64Packages({ release: 'bookworm', packages, folder: sysroot, what });
  }
  const isSource = (/** @type {string} */ file) => /^(binding\.gyp|package\.json|src\/.*)$/.test(file);
  const compiler = await must('aarch64-linux-gnu-g++', ['--version'], {
    quiet: true,
    remedy: 'apt-get install g++-aarch64-linux-gnu',
  });
  const libraries = await Promise.all(['libssl-dev', 'libtss2-dev'].map(arm64LibraryVersion));
  const wanted = await treeDigest(inCheckout('native'), isSource, [process.version, compiler, ...libraries]);
  const stamp = path.join(folder, 'stamp');
  if (existsSync(arm64Addon) && (await readStamp(stamp)) === wanted)
    return narrate('arm64', `the addon is up to date: ${arm64Addon}`);
  narrate('arm64', `compiling native/ for arm64, with OpenSSL ${libraries[0]} and tpm2-tss ${libraries[1]}`);
  await rm(sources, { recursive: true, force: true });
  await mkdir(sources, { recursive: true });
  for (const name of copied) await cp(inCheckout('native', name), path.join(sources, name), { recursive: true });
  const headers = headersOfThisNode();
  const gyp = inCheckout('node_modules/node-gyp/bin/node-gyp.js');
  const where = ['-C', sources, '--arch=arm64', ...(headers === undefined ? [] : [`--nodedir=${headers}`])];
  const env = { ...process.env };
  for (const [name, program] of Object.entries({ CC: 'gcc', CXX: 'g++', LINK: 'g++', AR: 'ar' }))
    env[name] = `aarch64-linux-gnu-${program}${name === 'AR' ? '' : ` --sysroot=${sysroot}`}`;
  const words = [gyp, 'rebuild', ...where, '--loglevel=error'];
  const { code, stdout, stderr } = await run(process.execPath, words, { quiet: true, env });
  if (code !== 0) {
    process.stderr.write(stdout + stderr);
    throw new SetupError('the native addon does not compile for arm64', "read the compiler's output above");
  }
  await writeFile(stamp, wanted);
  narrate('arm64', `compiled: ${arm64Addon}`);
}

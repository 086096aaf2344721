import { existsSync } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout } from './checkout.mjs';
import { run } from './command.mjs';
import { readStamp, treeDigest } from './digest.mjs';
import { narrate, SetupError } from './narration.mjs';

const binary = inCheckout('native/build/Release/node_tss.node');

/** Where this Node keeps its C headers, when it came with them (nodejs.org archives and most packages do). */
export function headersOfThisNode() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  return existsSync(path.join(prefix, 'include/node/node_version.h')) ? prefix : undefined;
}

/**
 * Compile the native addon when its sources, the compiler's inputs or this Node changed.
 * @throws {SetupError}
 */
export async function provideAddon() {
  const isSource = (/** @type {string} */ file) => /^(binding\.gyp|package\.json|src\/.*)$/.test(file);
  const headers = headersOfThisNode();
  const libraries = await run('dpkg-query', ['-W', 'libssl-dev', 'libtss2-dev'], { quiet: true });
  // OpenSSL is linked in: a security update of it makes a new addon.
  const wanted = await treeDigest(inCheckout('native'), isSource, [process.version, process.arch, libraries.stdout]);
  const stampFile = inCheckout('native/build/stamp');
  const present = await access(binary).then(
    () => true,
    () => false,
  );
  if (present && (await readStamp(stampFile)) === wanted) return narrate('addon', 'up to date');
  narrate('addon', 'compiling native/ (about half a minute)');
  const gyp = inCheckout('node_modules/node-gyp/bin/node-gyp.js');
  const nodedir = headers === undefined ? [] : [`--nodedir=${headers}`];
  const words = [gyp, 'rebuild', '-C', inCheckout('native'), '--loglevel=error', ...nodedir];
  const { code, stdout, stderr } = await run(process.execPath, words, { quiet: true });
  if (code !== 0) {
    process.stderr.write(stdout + stderr);
    const noHeaders = 'this Node came without headers: use one from nodejs.org, or set npm_config_nodedir';
    const remedy = `read the compiler's output above${headers === undefined ? `; ${noHeaders}` : ''}`;
    throw new SetupError('the native addon does not compile', remedy);
  }
  await writeFile(stampFile, wanted);
}

import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { headersOfThisNode } from '../bootstrap/addon.mjs';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { must } from '../bootstrap/command.mjs';
import { readStamp, treeDigest } from '../bootstrap/digest.mjs';
import { narrate } from '../bootstrap/narration.mjs';

const folder = inCheckout('test-results/sanitizers');
const copied = ['binding.gyp', 'package.json', 'src'];

/**
 * The native addon compiled with AddressSanitizer and UndefinedBehaviorSanitizer, in a folder of its own, when its
 * sources or this Node changed.
 * @returns {Promise<string>} path of the addon
 * @throws {import('../bootstrap/narration.mjs').SetupError}
 */
export async function provideSanitizedAddon() {
  const addon = path.join(folder, 'native/build/Release/node_tss.node');
  const stamp = path.join(folder, 'stamp');
  const isSource = (/** @type {string} */ file) => /^(binding\.gyp|package\.json|src\/.*)$/.test(file);
  const wanted = await treeDigest(inCheckout('native'), isSource, [process.version, process.arch]);
  if ((await readStamp(stamp)) === wanted) return addon;
  narrate('sanitize', 'compiling native/ with sanitizers (about a minute)');
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'native'), { recursive: true });
  for (const name of copied)
    await cp(inCheckout('native', name), path.join(folder, 'native', name), { recursive: true });
  const headers = headersOfThisNode();
  const gyp = inCheckout('node_modules/node-gyp/bin/node-gyp.js');
  const where = ['-C', path.join(folder, 'native'), ...(headers === undefined ? [] : [`--nodedir=${headers}`])];
  await must(process.execPath, [gyp, 'rebuild', ...where, '--jobs=2', '--loglevel=error', '--', '-Dsanitize=true'], {
    quiet: true,
    remedy: "read the compiler's words, or try: npm run build",
  });
  await writeFile(stamp, wanted);
  return addon;
}

/**
 * What a process needs so that node-tss, inside it, is the sanitized build. The sanitizers' run-time libraries must be
 * the first ones of a process, and Node is not linked with them.
 * @param {string} addon
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function sanitizerEnvironment(addon) {
  const library = async (/** @type {string} */ name) =>
    (await must('g++', [`-print-file-name=${name}`], { quiet: true, remedy: 'apt-get install g++' })).trim();
  return {
    LD_PRELOAD: `${await library('libasan.so')}:${await library('libubsan.so')}`,
    // Node frees little of its own when it ends; what is looked for here is use, not leaks. The fuzzers look for those.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    NODE_OPTIONS: `--require=${inCheckout('build/tests/addon-preload.cjs')}`,
    SIGNET_TEST_ADDON: addon,
  };
}

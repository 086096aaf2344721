import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { must } from '../bootstrap/command.mjs';
import { readStamp, treeDigest } from '../bootstrap/digest.mjs';
import { narrate } from '../bootstrap/narration.mjs';

const folder = inCheckout('test-results/fuzz');
const tls = ['connection', 'context', 'errors', 'keymgmt', 'library', 'provider', 'records', 'sessions', 'signature'];
const openssl = ['-l:libssl.a', '-l:libcrypto.a'];
const tlsSources = tls.map((name) => `src/tls/${name}.cc`);

/**
 * The libFuzzer programs, one for each place where bytes from outside meet C++ of ours.
 * @type {Readonly<Record<string, {sources: readonly string[], libraries: readonly string[], maxBytes: number}>>}
 */
const targets = {
  key_blob: {
    sources: ['src/tpm/key.cc', 'src/tpm/template.cc', 'src/tpm/faults.cc'],
    libraries: ['-ltss2-esys', '-ltss2-mu', '-ltss2-rc'],
    maxBytes: 2048,
  },
  certificates: { sources: tlsSources, libraries: openssl, maxBytes: 8192 },
  connection: { sources: ['fuzz/peer.cc', ...tlsSources], libraries: openssl, maxBytes: 4096 },
};

export const fuzzTargets = Object.keys(targets);

const instrumented = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-g', '-O1'];

/** @param {readonly string[]} args */
const clang = (args) =>
  must('clang++', args, {
    quiet: true,
    cwd: inCheckout('native'),
    remedy: 'apt-get install clang libclang-rt-14-dev, and read what clang++ says when it is run by hand',
  });

/** @param {string} source */
const objectOf = (source) => path.join(folder, 'build', `${source.replaceAll('/', '-')}.o`);

/** @param {string} source */
const compile = (source) =>
  clang([
    ...['-c', source, '-o', objectOf(source), '-std=c++17', '-fsanitize=fuzzer-no-link', ...instrumented],
    ...['-Isrc', '-Ifuzz', '-Wall', '-Wextra', '-ffunction-sections'],
    ...['node-addon-api', 'node-api-headers/include'].flatMap((name) => ['-isystem', inCheckout('node_modules', name)]),
    ...['-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS', '-DNODE_ADDON_API_DISABLE_DEPRECATED'],
  ]);

/** Nothing of Node is there to link with: what is fuzzed must not need it. @param {string} name */
const link = (name) => {
  const { sources = [], libraries = [] } = targets[name] ?? {};
  const objects = [`fuzz/${name}.cc`, ...sources].map(objectOf);
  const words = ['-fsanitize=fuzzer', ...instrumented, '-Wl,--gc-sections', ...objects, ...libraries];
  return clang([...words, '-o', path.join(folder, 'build', name)]);
};

/**
 * Compile the fuzzers when their sources changed.
 * @throws {import('../bootstrap/narration.mjs').SetupError}
 */
export async function provideFuzzers() {
  const stamp = path.join(folder, 'build/stamp');
  const isSource = (/** @type {string} */ file) => /^(src|fuzz)\/.*\.(cc|hh)$/.test(file);
  const wanted = await treeDigest(inCheckout('native'), isSource, [process.arch, JSON.stringify(targets)]);
  if ((await readStamp(stamp)) === wanted) return;
  narrate('fuzz', 'compiling the fuzzers (about half a minute)');
  await rm(path.join(folder, 'build'), { recursive: true, force: true });
  await mkdir(path.join(folder, 'build'), { recursive: true });
  const all = Object.entries(targets).flatMap(([name, { sources }]) => [`fuzz/${name}.cc`, ...sources]);
  const queue = [...new Set(all)];
  const work = async () => {
    for (let source = queue.pop(); source !== undefined; source = queue.pop()) await compile(source);
  };
  await Promise.all([work(), work()]);
  await Promise.all(fuzzTargets.map(link));
  await writeFile(stamp, wanted);
}

/**
 * How to run one fuzzer: over the inputs that are kept in the repository and those that earlier runs have found.
 * What breaks a rule is written to test-results/fuzz/findings.
 * @param {string} name of fuzzTargets
 * @param {number} seconds
 * @returns {Promise<{program: string, args: readonly string[], env: NodeJS.ProcessEnv}>}
 */
export async function fuzzCommand(name, seconds) {
  const found = path.join(folder, 'corpus', name);
  const findings = path.join(folder, 'findings');
  for (const made of [found, findings]) await mkdir(made, { recursive: true });
  const limits = [
    `-max_total_time=${seconds}`,
    `-max_len=${targets[name]?.maxBytes}`,
    '-timeout=10',
    '-rss_limit_mb=2048',
  ];
  const quiet = ['-verbosity=1', '-print_final_stats=1', `-artifact_prefix=${findings}/${name}-`];
  return {
    program: path.join(folder, 'build', name),
    args: [...limits, ...quiet, found, inCheckout('native/fuzz/corpus', name)],
    env: { TSS2_LOG: 'all+none' },
  };
}

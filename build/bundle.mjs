import { cp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { checkout, inCheckout } from './bootstrap/checkout.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';

const help = `npm run build — bundle the sources into dist/

  dist/release/   the player: main.cjs, preload.cjs, renderer/
  dist/test/      the same sources as a test build, and the fake main process of the page's tests
  dist/tests/     test files;  dist/demo/ the reference server;  dist/bench/ the measurements
  native/dist/    the JavaScript face of node-tss

  --help          this text
`;

/** The oldest runtime that the code must run on: Electron 33. */
const oldestNode = 'node20.18';
const oldestChromium = 'chrome130';

/** Every file that was bundled since the set was cleared, relative to the checkout. @type {Set<string>} */
const wentIn = new Set();

/**
 * @param {import('esbuild').BuildOptions} options
 * @throws {SetupError} esbuild has shown the messages by then
 */
async function bundle(options) {
  const { build, stop } = await import('esbuild');
  const common = /** @type {const} */ ({ bundle: true, metafile: true, logLevel: 'warning', legalComments: 'linked' });
  try {
    const { metafile } = await build({ absWorkingDir: checkout, ...common, ...options });
    for (const file of Object.keys(metafile?.inputs ?? {})) wentIn.add(file);
  } catch (error) {
    throw new SetupError('the sources do not bundle', 'read the messages above', error);
  } finally {
    // Else its service stays as long as this process.
    await stop();
  }
}

/** @type {import('esbuild').BuildOptions} */
const forNode = { platform: 'node', target: oldestNode, sourcemap: true };

/**
 * What Electron's main process loads. What is imported late is required late: inside a package `import()` finds no
 * node-tss.
 * @type {import('esbuild').BuildOptions}
 */
const forMain = { ...forNode, format: 'cjs', supported: { 'dynamic-import': false } };

/** @returns {Promise<string>} the version in package.json */
async function playerVersion() {
  return JSON.parse(await readFile(inCheckout('package.json'), 'utf8')).version;
}

/**
 * Main process, preload and page.
 * @param {'release' | 'test'} kind
 */
async function bundlePlayer(kind) {
  const out = `dist/${kind}`;
  const define = { __TEST_BUILD__: String(kind === 'test'), __PLAYER_VERSION__: JSON.stringify(await playerVersion()) };
  await rm(inCheckout(out), { recursive: true, force: true });
  await bundle({
    ...forMain,
    define,
    entryPoints: ['electron/main.ts'],
    outfile: `${out}/main.cjs`,
    // Less to parse before the first picture; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    external: ['electron', 'node-tss'],
  });
  // The thread behind the command line: nothing of it is read when the player plays.
  await bundle({
    ...forMain,
    define,
    entryPoints: ['electron/assembly/commands.ts'],
    outfile: `${out}/commands.cjs`,
    external: ['node-tss'],
  });
  // The AppImage's updates: read after the first picture, where the settings name a feed.
  await bundle({
    ...forMain,
    entryPoints: ['electron/assembly/updates.ts'],
    outfile: `${out}/updates.cjs`,
    minifyWhitespace: true,
    external: ['electron', 'node-tss'],
  });
  await bundle({
    define,
    entryPoints: ['electron/preload.ts'],
    outfile: `${out}/preload.cjs`,
    format: 'cjs',
    platform: 'browser',
    target: oldestChromium,
    external: ['electron'],
  });
  await bundle({
    define: { ...define, 'process.env.NODE_ENV': '"production"' },
    entryPoints: {
      app: 'renderer/app.tsx',
      'script-ja': 'renderer/styles/script-ja.css',
      'script-ar': 'renderer/styles/script-ar.css',
    },
    outdir: `${out}/renderer`,
    // Languages are loaded when they are needed.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    target: oldestChromium,
    jsx: 'automatic',
    minify: true,
    loader: { '.woff2': 'file' },
    assetNames: 'fonts/[name]',
  });
  await cp(inCheckout('renderer/index.html'), inCheckout(out, 'renderer/index.html'));
}

/** The JavaScript face of the native addon, and its command line. */
const bundleNodeTss = () =>
  bundle({
    ...forNode,
    entryPoints: { index: 'native/index.ts', attestation: 'native/attestation/index.ts', cli: 'native/cli/main.ts' },
    outdir: 'native/dist',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    packages: 'external',
  });

/**
 * Files below test/ as ES modules with the same path below the output folder.
 * @param {readonly string[]} entryPoints
 * @param {string} outdir
 */
const bundleModules = (entryPoints, outdir) =>
  bundle({
    ...forNode,
    entryPoints: [...entryPoints],
    outdir,
    outbase: 'test',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
    define: { __TEST_BUILD__: 'true', __PLAYER_VERSION__: '"test"' },
  });

/** The player as it ships, and the face of node-tss that it loads. */
export async function bundleRelease() {
  await bundleNodeTss();
  await bundlePlayer('release');
}

/**
 * One build of the player for a package.
 * @param {'release' | 'test'} kind
 * @returns {Promise<string[]>} the npm packages inside, such as `node_modules/zod`
 */
export async function bundlePackage(kind) {
  wentIn.clear();
  await bundleNodeTss();
  await bundlePlayer(kind);
  const places = [...wentIn].flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(places)].sort();
}

/** The reference server, at dist/demo/backend/: backend.mjs for the demo, main.mjs to run it by itself. */
export const bundleDemo = () => bundleModules(['test/backend/backend.ts', 'test/backend/main.ts'], 'dist/demo');

/** @param {string} name of a file in test/bench/ */
export const bundleBench = (name) => bundleModules([`test/bench/${name}.ts`], 'dist');

/** The test build of the player, the fake main of the page's tests, and every test file. */
export async function bundleTests() {
  await bundlePlayer('test');
  await bundle({
    ...forNode,
    entryPoints: ['test/ui/mocked/fake-main.ts'],
    outfile: 'dist/test/fake-main.cjs',
    format: 'cjs',
    external: ['electron'],
    define: { __TEST_BUILD__: 'true', __PLAYER_VERSION__: '"test"' },
  });
  await rm(inCheckout('dist/tests'), { recursive: true, force: true });
  const files = await readdir(inCheckout('test'), { recursive: true });
  // Beside the tests the programs that the chaos suite starts.
  const isEntry = (/** @type {string} */ file) => file.endsWith('.test.ts') || /^chaos\/child\/[^/]+\.ts$/.test(file);
  const tests = files.filter(isEntry).map((file) => path.join('test', file));
  await bundleModules(tests, 'dist/tests');
}

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    if (process.argv.includes('--help')) return void process.stdout.write(help);
    await bundleRelease();
    await bundleDemo();
    await bundleTests();
    narrate('build', 'done: dist/release, dist/test, dist/tests, dist/demo');
  });
}

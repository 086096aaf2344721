import { readdir } from 'node:fs/promises';
import process from 'node:process';
import { inCheckout } from './bootstrap/checkout.mjs';
import { run } from './bootstrap/command.mjs';
import { narrate, runMain } from './bootstrap/narration.mjs';
import { provideNpmPackages } from './bootstrap/npm-packages.mjs';

const help = `npm run check — format, lint and types of every part

Biome (format and lint), TypeScript for electron/ (against the newest and the oldest Electron), renderer/,
native/ and test/, clang-format for native/src and native/fuzz.

  --help    this text
`;

/** @typedef {{title: string, program: string, args: readonly string[]}} CheckStep */

/** @returns {Promise<CheckStep[]>} */
export async function checkSteps() {
  const tool = (/** @type {string} */ name) => inCheckout('node_modules/.bin', name);
  const projects = ['electron', 'electron/tsconfig.oldest.json', 'renderer', 'native', 'test'];
  const sources = await readdir(inCheckout('native'), { recursive: true });
  const cxx = sources.filter((file) => /^(src|fuzz)\/.*\.(cc|hh)$/.test(file)).map((file) => `native/${file}`);
  return [
    { title: 'biome check', program: tool('biome'), args: ['check', '--error-on-warnings'] },
    ...projects.map((project) => ({ title: `tsc -p ${project}`, program: tool('tsc'), args: ['-p', project] })),
    { title: 'clang-format native', program: 'clang-format', args: ['--dry-run', '--Werror', ...cxx] },
  ];
}

/** @param {CheckStep} step @returns {Promise<boolean>} whether it passed */
export async function runCheckStep({ title, program, args }) {
  const { code } = await run(program, args, { cwd: inCheckout() });
  narrate('check', `${code === 0 ? 'ok    ' : 'FAILED'} ${title}`);
  return code === 0;
}

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    if (process.argv.includes('--help')) return void process.stdout.write(help);
    await provideNpmPackages();
    let failed = 0;
    for (const step of await checkSteps()) if (!(await runCheckStep(step))) failed += 1;
    return failed === 0 ? 0 : 1;
  });
}

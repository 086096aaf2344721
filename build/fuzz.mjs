import { mkdir, readdir } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { inCheckout } from './bootstrap/checkout.mjs';
import { run } from './bootstrap/command.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { bundleRelease, bundleTests } from './bundle.mjs';
import { setup } from './setup.mjs';
import { runFuzzer } from './tests/fuzz-suite.mjs';
import { fuzzTargets, provideFuzzers } from './tests/fuzz-targets.mjs';

const names = ['key-file', ...fuzzTargets];

const help = `npm run fuzz — look for bytes that node-tss does not withstand

  --seconds N        for each target; 60 where absent
  --target NAME      one target: ${names.join(', ')}
  --help             this text

Inputs that reach new code are kept in test-results/fuzz/corpus and used by the next run; what breaks a rule is
written to test-results/fuzz/findings. npm test runs every target for a few seconds.
`;

/** @throws {SetupError} */
function readOptions() {
  try {
    const text = /** @type {const} */ ({ type: 'string' });
    const flag = /** @type {const} */ ({ type: 'boolean', default: false });
    const { values } = parseArgs({ options: { seconds: text, target: text, help: flag } });
    const seconds = Number(values.seconds ?? 60);
    if (!Number.isInteger(seconds) || seconds < 1) throw new Error(`--seconds ${values.seconds} is no time`);
    if (values.target !== undefined && !names.includes(values.target))
      throw new Error(`there is no target ${values.target}`);
    return { help: values.help, seconds, chosen: names.filter((name) => name === (values.target ?? name)) };
  } catch (error) {
    throw new SetupError(
      error instanceof Error ? error.message : String(error),
      'npm run fuzz -- --help lists the options',
    );
  }
}

/** The reader of key files is TypeScript: its fuzzer is a test with a budget. @param {number} seconds */
async function fuzzKeyFiles(seconds) {
  const file = inCheckout('dist/tests/native/fuzz-key-file.test.mjs');
  const env = { ...process.env, NODE_TSS_FUZZ_SECONDS: String(seconds) };
  const { code } = await run(process.execPath, ['--enable-source-maps', '--test', file], { cwd: inCheckout(), env });
  narrate('fuzz', `${code === 0 ? 'ok    ' : 'FAILED'} key-file, ${seconds} s`);
  return code === 0;
}

await runMain(async () => {
  const { help: wantsHelp, seconds, chosen } = readOptions();
  if (wantsHelp) return void process.stdout.write(help);
  await setup(['build', 'test']);
  await bundleRelease();
  await bundleTests();
  await mkdir(inCheckout('test-results'), { recursive: true });
  await provideFuzzers();
  let failed = 0;
  for (const name of chosen) {
    const passed = name === 'key-file' ? await fuzzKeyFiles(seconds) : await runFuzzer(name, seconds);
    if (!passed) failed += 1;
  }
  if (failed > 0) narrate('fuzz', `findings: ${(await readdir(inCheckout('test-results/fuzz/findings'))).join(', ')}`);
  return failed === 0 ? 0 : 1;
});

import process from 'node:process';
import { parseArgs } from 'node:util';
import { arm64Addon, provideArm64Addon } from './arm64/addon.mjs';
import { arm64Environment, arm64Node, arm64Words, provideArm64Node } from './arm64/node.mjs';
import { inCheckout } from './bootstrap/checkout.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { assertWritable, asUnprivileged, isRunPhase } from './bootstrap/unprivileged.mjs';
import { bundleTests } from './bundle.mjs';
import { setup } from './setup.mjs';
import { runNodeSuite } from './tests/node-suite.mjs';
import { summarize } from './tests/outcome.mjs';

const help = `npm run test:arm64 — compile the native addon for arm64 and run its tests there, in an emulator

The addon is compiled with Debian's cross compiler against Debian 12's libraries for arm64. Debian 13's Node for arm64
then runs the tests of the addon with it, under qemu-user: keys, certificate requests and mutual TLS are its own, the
software TPM, OpenSSL and the servers on the other side are this machine's.

  --only WORD    only the test files whose path contains it, such as native/tls.test
  --help         this text
`;

const minutes = 60_000;

/** Judges the addon of this system; test/arm64/ judges the other one. */
const leaveOut = /native\/symbols\.test\.mjs$/;

await runMain(async () => {
  const { values: options } = parseOptions();
  if (options.help) return void process.stdout.write(help);
  if (process.arch !== 'x64')
    throw new SetupError(
      `this is ${process.arch} already`,
      'npm test -- --only native runs the tests without emulator',
    );
  const writable = [inCheckout('test-results')];
  if (!isRunPhase()) {
    await setup(['build', 'run', 'test', 'arm64']);
    await provideArm64Addon({ fresh: false });
    await provideArm64Node();
    narrate('build', 'bundling the tests');
    await bundleTests();
    const code = await asUnprivileged(writable);
    if (code !== undefined) return code;
  }
  await assertWritable(writable);
  const startedAt = performance.now();
  const outcome = await runNodeSuite(
    {
      name: 'arm64',
      folders: ['arm64', 'native', 'interop'],
      through: await arm64Words(),
      runtime: arm64Node,
      env: {
        ...arm64Environment,
        NODE_OPTIONS: `--require=${inCheckout('build/tests/addon-preload.cjs')}`,
        SIGNET_TEST_ADDON: arm64Addon,
      },
      only: options.only,
      leaveOut,
    },
    { display: '', limitMs: 120 * minutes, fileLimitMs: 30 * minutes },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { text, failed } = summarize([{ title: 'native and interop, arm64', outcome, seconds }]);
  process.stdout.write(`\n${text}\n`);
  return failed === 0 ? 0 : 1;
});

function parseOptions() {
  try {
    return parseArgs({
      options: { only: { type: 'string', default: '' }, help: { type: 'boolean', default: false } },
    });
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), 'npm run test:arm64 -- --help');
  }
}

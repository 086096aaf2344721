import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { inCheckout } from './bootstrap/checkout.mjs';
import { run } from './bootstrap/command.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { assertWritable, asUnprivileged, isRunPhase } from './bootstrap/unprivileged.mjs';
import { bundleTests } from './bundle.mjs';
import { setup } from './setup.mjs';
import { runNodeSuite } from './tests/node-suite.mjs';
import { summarize } from './tests/outcome.mjs';

const help = `npm run test:step-ca — the step-ca issuer against the real step-ca

Debian ships the sources of smallstep/certificates as a Go library (its server, without the command). That server is
compiled, started with a root, an intermediate authority and a JWK provisioner of its own, and called by the issuer.

  --help         this text
`;

const minutes = 60_000;
const folder = inCheckout('.runtime/step-ca');
const program = path.join(folder, 'step-ca');

await runMain(async () => {
  if (parseOptions().values.help) return void process.stdout.write(help);
  const writable = [inCheckout('test-results')];
  if (!isRunPhase()) {
    await setup(['build', 'run', 'test', 'step-ca']);
    await compile();
    narrate('build', 'bundling the tests');
    await bundleTests();
    const code = await asUnprivileged(writable);
    if (code !== undefined) return code;
  }
  await assertWritable(writable);
  const startedAt = performance.now();
  const outcome = await runNodeSuite(
    { name: 'step-ca', folders: ['step-ca'], env: { SIGNET_STEP_CA: program } },
    { display: '', limitMs: 5 * minutes },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { text, failed } = summarize([{ title: 'issuer against step-ca', outcome, seconds }]);
  process.stdout.write(`\n${text}\n`);
  return failed === 0 ? 0 : 1;
});

/** From Debian's sources alone: no module is fetched. */
async function compile() {
  narrate('step-ca', 'compiling the server of smallstep/certificates');
  await mkdir(folder, { recursive: true });
  const env = {
    ...process.env,
    ...{ GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOPROXY: 'off', GOFLAGS: '', CGO_ENABLED: '0' },
    GOCACHE: path.join(folder, 'go-cache'),
  };
  const words = ['build', '-o', program, inCheckout('build/step-ca/main.go')];
  if ((await run('go', words, { env })).code !== 0)
    throw new SetupError('step-ca does not compile', 'see the compiler’s words above');
}

function parseOptions() {
  try {
    return parseArgs({ options: { help: { type: 'boolean', default: false } } });
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), 'npm run test:step-ca -- --help');
  }
}

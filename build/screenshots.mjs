import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout } from './bootstrap/checkout.mjs';
import { run } from './bootstrap/command.mjs';
import { runMain, SetupError } from './bootstrap/narration.mjs';
import { asUnprivileged, isRunPhase } from './bootstrap/unprivileged.mjs';
import { bundleTests } from './bundle.mjs';

const help = `npm run screenshots — photograph every screen for the README

Shows each screen of the real page on a virtual display, at 1920×1080, 1080×1920 and 1280×720, and writes the pictures
to test/fixtures/screenshots/. Needs what npm run setup installs.

  --help    this text
`;

/** Where the run puts them, which as root is another user's and may not write sources. As in test/support. */
const taken = inCheckout('test-results/screenshots');
const kept = inCheckout('test/fixtures/screenshots');

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    if (process.argv.includes('--help')) return void process.stdout.write(help);
    if (!isRunPhase()) {
      await bundleTests();
      await rm(taken, { recursive: true, force: true });
    }
    const code = (await asUnprivileged([inCheckout('test-results')])) ?? (await photograph());
    if (code === 0 && !isRunPhase()) await cp(taken, kept, { recursive: true });
    return code;
  });
}

async function photograph() {
  const cli = inCheckout('node_modules/playwright/cli.js');
  const config = inCheckout('test/ui/playwright.config.ts');
  const result = await run(process.execPath, [cli, 'test', '-c', path.resolve(config), '--project=screenshots'], {
    cwd: inCheckout(),
  });
  if (result.code !== 0) throw new SetupError('the screens could not be photographed', 'read the messages above');
  return 0;
}

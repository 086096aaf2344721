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

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    if (process.argv.includes('--help')) return void process.stdout.write(help);
    if (!isRunPhase()) await bundleTests();
    const folders = ['test/fixtures/screenshots', 'test-results'].map((folder) => inCheckout(folder));
    const code = await asUnprivileged(folders);
    if (code !== undefined) return code;
    const cli = inCheckout('node_modules/playwright/cli.js');
    const config = inCheckout('test/ui/playwright.config.ts');
    const result = await run(process.execPath, [cli, 'test', '-c', path.resolve(config), '--project=screenshots'], {
      cwd: inCheckout(),
    });
    if (result.code !== 0) throw new SetupError('the screens could not be photographed', 'read the messages above');
    return 0;
  });
}

import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { narrate, runMain } from './bootstrap/narration.mjs';
import { assertWritable, asUnprivileged, isRunPhase } from './bootstrap/unprivileged.mjs';
import { bundleDemo, bundleRelease } from './bundle.mjs';
import { help, readOptions } from './demo/options.mjs';
import { playDemo } from './demo/play.mjs';
import { setup } from './setup.mjs';

/**
 * Forget what earlier runs left; only what the demo itself makes, whatever folder was named.
 * @param {string} state
 */
async function forgetState(state) {
  for (const name of ['tpm', 'tpm-maker', 'server', 'player', 'screenshots', 'settings.json', 'player.log']) {
    await rm(path.join(state, name), { recursive: true, force: true });
  }
}

await runMain(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(help);
  const writable = [options.state, options.screenshots];
  if (!isRunPhase()) {
    await setup(['build', 'run']);
    narrate('build', 'bundling the player and the reference server');
    await bundleRelease();
    await bundleDemo();
    const code = await asUnprivileged(writable);
    if (code !== undefined) return code;
  }
  await assertWritable(writable);
  if (options.fresh) {
    await forgetState(options.state);
    await mkdir(options.screenshots, { recursive: true });
  }
  return playDemo(options);
});

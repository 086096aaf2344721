import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { probeAcceleration } from './boot/acceleration.mjs';
import { provideImage } from './boot/image.mjs';
import { inCheckout } from './bootstrap/checkout.mjs';
import { run } from './bootstrap/command.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { bundleDemo, bundleTests } from './bundle.mjs';
import { setup } from './setup.mjs';

const help = `npm run test:boot — boot a machine with a TPM, and see that the installed package plays on its display

A Debian is made with the .deb installed and set up as a kiosk. QEMU boots it with a software TPM, without a
network; the network comes, the machine registers with the reference server, is claimed and plays; its power is cut, and
it plays again with the server down. Pictures of its display, the times and its journal are kept.

It is long: a few minutes with a /dev/kvm that works, a quarter of an hour where the machine is emulated by software.
That wants a quiet machine: where the emulator has no processor, the player takes its page for dead.

  --debian 12|13 the release, 13 where absent: 12 has an X server where 13 has cage
  --deb FILE     the package to test; where absent one is made of the present sources
  --out DIR      pictures and times (default test-results/boot, with the release)
  --help         this text
`;

/** @type {Readonly<Record<string, 'bookworm' | 'trixie' | undefined>>} */
const releases = { 12: 'bookworm', 13: 'trixie' };

/** @throws {SetupError} */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        deb: { type: 'string' },
        debian: { type: 'string', default: '13' },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const release = releases[values.debian];
    if (release === undefined) throw new Error(`--debian ${values.debian}: there are 12 and 13`);
    const out = values.out ?? inCheckout('test-results/boot', `debian-${values.debian}`);
    return { ...values, release, out: path.resolve(out) };
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), 'npm run test:boot -- --help');
  }
}

/** The package of the present sources, or the one that was named. @param {string | undefined} named @returns {Promise<string>} */
async function providePackage(named) {
  if (named !== undefined) {
    if (!existsSync(named)) throw new SetupError(`${named} is not there`, 'make it with npm run dist -- --deb');
    return path.resolve(named);
  }
  const folder = inCheckout('.runtime/boot/package');
  await rm(folder, { recursive: true, force: true });
  const words = [inCheckout('build/dist.mjs'), '--deb', '--fast', '--out', folder];
  await run(process.execPath, words, { cwd: inCheckout() });
  const made = (await readdir(folder).catch(() => [])).find((file) => file.endsWith('.deb'));
  if (made === undefined) throw new SetupError('npm run dist made no package', 'read its words above');
  return path.join(folder, made);
}

await runMain(async () => {
  const options = readOptions();
  if (options.help) return void process.stdout.write(help);
  if (process.getuid?.() !== 0)
    throw new SetupError('the disk image can be made by root alone', 'sudo npm run test:boot');
  await setup(['build', 'run', 'test', 'boot']);
  const deb = await providePackage(options.deb);
  await bundleDemo();
  await bundleTests();
  const image = await provideImage(deb, options.release);
  const acceleration = await probeAcceleration(path.join(image, 'vmlinuz'));
  const { out } = options;
  await mkdir(out, { recursive: true });
  // Pictures of a run before this one would be taken for this one's.
  for (const file of await readdir(out)) if (file.endsWith('.png')) await rm(path.join(out, file));
  narrate('boot', `pictures, times and the journal go to ${out}`);
  // A network namespace of its own: server, TPM and machine reach each other, and nothing else exists.
  const alone = ['--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath];
  const counts = path.join(out, 'counts.json');
  await rm(counts, { force: true });
  const reporters = [
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${inCheckout('build/tests/count-reporter.mjs')}`, `--test-reporter-destination=${counts}`],
  ];
  const test = ['--enable-source-maps', '--test', ...reporters, inCheckout('dist/tests/boot/boot.test.mjs')];
  const env = {
    SIGNET_BOOT_IMAGE: image,
    SIGNET_BOOT_OUT: out,
    SIGNET_BOOT_ACCELERATION: acceleration,
  };
  const { code } = await run('unshare', [...alone, ...test], { cwd: inCheckout(), env: { ...process.env, ...env } });
  const { passed, failed } = JSON.parse(await readFile(counts, 'utf8').catch(() => '{"passed": 0, "failed": 1}'));
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return code === 0 && failed === 0 && passed > 0 ? 0 : 1;
});

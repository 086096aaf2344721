import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { run } from '../bootstrap/command.mjs';
import { readStamp, treeDigest } from '../bootstrap/digest.mjs';
import { SetupError } from '../bootstrap/narration.mjs';
import { unpackArm64Packages } from './debian-files.mjs';

const root = inCheckout('.runtime/arm64/debian-13');
/** Debian 13's Node (Debian 12's is too old), and what the addon is linked with or opens by name. */
const packages = [
  ...['base-files', 'nodejs', 'libstdc++6', 'libtss2-esys-3.0.2-0t64', 'libtss2-rc0t64', 'libtss2-tctildr0t64'],
  ...['libtss2-tcti-device0t64', 'libtss2-tcti-swtpm0t64', 'libtss2-tcti-cmd0t64', 'libtss2-tcti-mssim0t64'],
  'libtss2-tcti-tabrmd0',
];

/** Debian's Node for arm64. */
export const arm64Node = path.join(root, 'usr/bin/node');

/** Where the emulator finds the loader and the libraries of an arm64 program, before it looks at this system's. */
export const arm64Environment = { QEMU_LD_PREFIX: root };

/** @throws {SetupError} */
export async function provideArm64Node() {
  const stamp = path.join(root, 'stamp');
  const wanted = await treeDigest(import.meta.dirname, (file) => file === path.basename(import.meta.filename));
  if (existsSync(arm64Node) && (await readStamp(stamp)) === wanted) return;
  await unpackArm64Packages({ release: 'trixie', packages, folder: root, what: 'Node and the libraries of the TPM' });
  await writeFile(stamp, wanted);
}

/** Runs its arguments where the kernel starts arm64 programs with the emulator; nothing outside changes. */
const withEmulator = `
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || exit 95
cat /usr/lib/binfmt.d/qemu-aarch64.conf > /proc/sys/fs/binfmt_misc/register || exit 96
exec "$0" "$@"`;

/**
 * The words in front of a command line that lets arm64 programs start, also from arm64 programs: none where the system
 * does so already, else namespaces of its own.
 * @returns {Promise<string[]>}
 * @throws {SetupError}
 */
export async function arm64Words() {
  const uid = String(process.getuid?.() ?? 0);
  const gid = String(process.getgid?.() ?? 0);
  const own = ['unshare', '--user', '--map-root-user', '--mount', '--propagation', 'private', 'sh', '-c', withEmulator];
  const asThisUser = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'];
  const env = { ...process.env, ...arm64Environment };
  for (const words of [[], [...own, ...asThisUser]]) {
    const [program = '', ...rest] = [...words, arm64Node, '-e', 'process.exit(process.arch === "arm64" ? 0 : 1)'];
    if ((await run(program, rest, { quiet: true, env })).code === 0) return words;
  }
  throw new SetupError(
    'this system cannot start programs for arm64',
    'take Linux 6.7 or newer with user namespaces, or register the emulator: apt-get install binfmt-support qemu-user-static',
  );
}

import { chmod, cp, mkdir, open, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { must, run } from '../bootstrap/command.mjs';
import { readStamp, treeDigest } from '../bootstrap/digest.mjs';
import { narrate, SetupError } from '../bootstrap/narration.mjs';

const sources = inCheckout('build/package/appimage');
const folder = inCheckout('.runtime/appimage-tools');
const compile = '-std=gnu17 -O2 -static -Wall -Wextra -Wpedantic -Werror -D_FILE_OFFSET_BITS=64 -D_GNU_SOURCE'.split(
  ' ',
);
const libraries = '-lsquashfuse_ll -lsquashfuse -lfuse3 -lzstd -lz -llzma -llz4 -llzo2 -lpthread'.split(' ');

/** electron-builder's name for this machine's kind; AppImages are made for it alone. */
const builderArch = () => (process.arch === 'arm64' ? 'arm64' : 'x64');

/**
 * The folder that electron-builder takes its AppImage tools from (APPIMAGE_TOOLS_PATH): Debian's programs, and a runtime
 * of our own over Debian's static squashfuse and libfuse, because no Debian package has one.
 * @returns {Promise<string>}
 * @throws {SetupError}
 */
export async function provideAppImageTools() {
  const stamp = path.join(folder, 'stamp');
  const linked = await run('dpkg-query', ['-W', 'libsquashfuse-dev', 'libfuse3-dev', 'libzstd-dev', 'libc6-dev'], {
    quiet: true,
  });
  const wanted = await treeDigest(sources, () => true, [process.arch, linked.stdout]);
  if ((await readStamp(stamp)) === wanted) return folder;
  narrate('dist', 'compiling the AppImage runtime');
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'runtimes'), { recursive: true });
  await mkdir(path.join(folder, 'lib', builderArch()), { recursive: true });
  const runtime = path.join(folder, 'runtimes', `runtime-${builderArch()}`);
  await compileProgram(['runtime.c', 'mount.c', 'extract.c'], runtime, libraries);
  await markAsAppImage(runtime);
  await compileProgram(['launch.c'], path.join(folder, 'AppRun'), []);
  await symlink('/usr/bin/desktop-file-validate', path.join(folder, 'desktop-file-validate'));
  const wrapper = path.join(folder, 'mksquashfs');
  const least = '$' + '{SIGNET_PACKAGE_EFFORT:+-Xcompression-level 1}';
  await writeFile(wrapper, `#!/bin/sh\nexec /usr/bin/mksquashfs "$@" ${least}\n`);
  await chmod(wrapper, 0o755);
  await writeFile(stamp, wanted);
  return folder;
}

/** @param {readonly string[]} files @param {string} target @param {readonly string[]} linked */
async function compileProgram(files, target, linked) {
  const words = [...compile, '-s', '-o', target, ...files, ...linked];
  const { code, stderr } = await run('gcc', words, { quiet: true, cwd: sources });
  if (code === 0) return;
  process.stderr.write(stderr);
  throw new SetupError(`${files[0]} does not compile`, "read the compiler's words above, or run npm run setup");
}

/** Bytes 8 … 10 of the ELF header say `AI` and the type (AppImageSpec). @param {string} runtime */
async function markAsAppImage(runtime) {
  const file = await open(runtime, 'r+');
  await file.write(Buffer.from('AI\x02', 'latin1'), 0, 3, 8);
  await file.close();
}

/**
 * What the AppImage has and the .deb has not: our AppRun, and the libraries of the TPM, with the connections that are
 * opened by name.
 * @param {string} application the folder that becomes the AppImage
 * @param {{copyright: string, bill: string}} documents
 */
export async function stageAppImage(application, documents) {
  const doc = path.join(application, 'usr/share/doc/signet-player');
  await mkdir(doc, { recursive: true });
  await writeFile(path.join(doc, 'copyright'), documents.copyright);
  await writeFile(path.join(doc, 'sbom.cdx.json'), documents.bill);
  await cp(path.join(folder, 'AppRun'), path.join(application, 'AppRun'));
  const target = path.join(application, 'usr/lib');
  await mkdir(target, { recursive: true });
  const addon = inCheckout('native/build/Release/node_tss.node');
  const linked = await must('ldd', [addon], { quiet: true, remedy: 'npm run setup' });
  const found = [...linked.matchAll(/(lib(?:tss2|crypto)\S*\.so\S*) => (\S+)/g)];
  const place = path.dirname(found[0]?.[2] ?? '');
  const byName = (await readdir(place)).filter((file) => /^libtss2-tcti-(device|swtpm|mssim)\.so\.0$/.test(file));
  const wanted = new Map([
    ...found.map(([, name = '', file = '']) => /** @type {const} */ ([name, file])),
    ...byName.map((name) => /** @type {const} */ ([name, path.join(place, name)])),
  ]);
  for (const [name, file] of wanted) await cp(await realpath(file), path.join(target, name));
}

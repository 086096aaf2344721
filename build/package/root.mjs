import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { inCheckout } from '../bootstrap/checkout.mjs';

const files = inCheckout('build/package/files');

/** Where each file of build/package/files/ is installed. @type {Readonly<Record<string, string>>} */
const places = {
  'settings.json': 'etc/signet-player/settings.json',
  'sysusers.conf': 'usr/lib/sysusers.d/signet-player.conf',
  'udev.rules': 'usr/lib/udev/rules.d/59-signet-player.rules',
  launcher: 'usr/bin/signet-player',
};

/**
 * Everything of the .deb outside /opt, as a tree that is laid over `/`.
 * @param {{folder: string, name: string, version: string, time: Date, documents: {copyright: string, bill: string}}} build
 */
export async function stageRoot({ folder, name, version, time, documents }) {
  const root = path.join(folder, 'root');
  for (const [file, place] of Object.entries(places)) {
    const target = path.join(root, place);
    await mkdir(path.dirname(target), { recursive: true });
    await cp(path.join(files, file), target);
    await chmod(target, file === 'launcher' ? 0o755 : 0o644);
  }
  const man = path.join(root, 'usr/share/man/man1');
  await mkdir(man, { recursive: true });
  await writeFile(path.join(man, 'signet-player.1.gz'), gzip(await readFile(path.join(files, 'signet-player.1'))));
  const doc = path.join(root, 'usr/share/doc', name);
  await mkdir(doc, { recursive: true });
  await writeFile(path.join(doc, 'changelog.gz'), gzip(Buffer.from(changelog({ name, version, time }))));
  await writeFile(path.join(doc, 'copyright'), documents.copyright);
  await writeFile(path.join(doc, 'sbom.cdx.json'), documents.bill);
  const overrides = path.join(root, 'usr/share/lintian/overrides');
  await mkdir(overrides, { recursive: true });
  const reviewed = await readFile(path.join(files, 'lintian-overrides'), 'utf8');
  await writeFile(path.join(overrides, name), reviewed.replaceAll('@NAME@', name));
  for (const license of ['LICENSE.electron.txt', 'LICENSES.chromium.html'])
    await symlink(`/opt/signet-player/${license}`, path.join(doc, license));
  // Units and what else the kiosk needs, laid out as it is installed.
  const kiosk = inCheckout('build/kiosk/root');
  if (existsSync(kiosk)) await cp(kiosk, root, { recursive: true, verbatimSymlinks: true });
}

/** Without a time and a name inside. @param {Buffer} bytes */
const gzip = (bytes) => gzipSync(bytes, { level: 9 });

/** One entry in Debian's form; what changed is in CHANGELOG.md. @param {{name: string, version: string, time: Date}} of */
function changelog({ name, version, time }) {
  const date = time.toUTCString().replace('GMT', '+0000');
  const who = 'Signet Player maintainers <maintainers@signet-player.invalid>';
  return `${name} (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the sources.\n\n -- ${who}  ${date}\n`;
}

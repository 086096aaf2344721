/**
 * Make the sample media of test/fixtures/media: four boards and two loops, drawn by our own code.
 *
 *     node build/sample-media.mjs [scene…]
 *
 * Needs the Electron runtime of `npm run setup`, ffmpeg, and (without a display) xvfb and xauth.
 * The results are part of the repository: run this only after a scene was changed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const electron = process.env.SIGNET_ELECTRON ?? join(project, '.runtime/electron/electron');
const media = join(project, 'test/fixtures/media');

/** Chromium keeps its sandbox only for an unprivileged user: the one that `npm run setup` has made. */
function unprivileged(folder) {
  if (process.getuid() !== 0) return [];
  const ids = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'signet-dev'], { encoding: 'utf8' }).stdout));
  if (!ids.every((id) => Number.isInteger(id) && id > 0)) throw new Error('no user signet-dev; run `npm run setup`');
  chownSync(folder, ids[0], ids[1]);
  return ['setpriv', `--reuid=${ids[0]}`, `--regid=${ids[1]}`, '--clear-groups'];
}

if (!existsSync(electron)) throw new Error('no Electron runtime; run `npm run setup`');
const folder = mkdtempSync(join(tmpdir(), 'signet-media-'));
try {
  chmodSync(folder, 0o755);
  const display = process.env.DISPLAY ? [] : ['xvfb-run', '-a'];
  const sources = join(project, 'build/sample-media');
  const typeface = 'inter-latin-opsz-normal.woff2';
  copyFileSync(join(project, 'node_modules/@fontsource-variable/inter/files', typeface), join(folder, typeface));
  copyFileSync(join(sources, 'painter.html'), join(folder, 'painter.html'));
  await build({ entryPoints: [join(sources, 'painter.js')], bundle: true, outfile: join(folder, 'painter.bundle.js') });
  const render = join(sources, 'render.cjs');
  const scenes = process.argv.slice(2);
  const command = [
    ...unprivileged(folder),
    ...display,
    electron,
    `--user-data-dir=${folder}/profile`,
    render,
    '--paint',
  ];
  const [program, ...parameters] = [...command, folder, ...scenes];
  const painter = spawn(program, parameters, { stdio: 'inherit', env: { ...process.env, HOME: folder } });
  const [code] = await once(painter, 'close');
  if (code !== 0) throw new Error(`the painter ended with ${code}`);
  for (const file of readdirSync(folder)) {
    if (/\.(?:jpg|mp4|webm)$/.test(file)) copyFileSync(join(folder, file), join(media, file));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Files put into an ext4 image without mounting it: e2fsprogs' debugfs, which needs no root. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @param files path in the image → text; their folders are made
 * @param links path in the image → target
 */
export async function putFiles(
  image: string,
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'signet-disk-'));
  try {
    const commands: string[] = [];
    for (const [place, text] of Object.entries(files)) {
      const source = path.join(folder, String(commands.length));
      await writeFile(source, text, { mode: 0o644 });
      commands.push(...foldersAbove(place), `rm ${place}`, `write ${source} ${place}`, `sif ${place} mode 0100644`);
    }
    for (const [place, target] of Object.entries(links))
      commands.push(...foldersAbove(place), `rm ${place}`, `symlink ${place} ${target}`);
    const script = path.join(folder, 'commands');
    await writeFile(script, `${commands.join('\n')}\n`);
    await run('debugfs', ['-w', '-f', script, image]);
    for (const [place, text] of Object.entries(files)) {
      const { stdout } = await run('debugfs', ['-R', `cat ${place}`, image]);
      if (stdout !== text) throw new Error(`${place} did not get into ${image}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function foldersAbove(place: string): string[] {
  const parts = place.split('/').slice(1, -1);
  return parts.map((_, at) => `mkdir /${parts.slice(0, at + 1).join('/')}`);
}

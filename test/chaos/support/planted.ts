/** The player with a bug: the product's own source, one thing in it changed, bundled as the sound one is. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { build, type Plugin, stop } from 'esbuild';

/** A piece of the product's source that is replaced. It must occur exactly once. */
export interface Change {
  /** Below `electron/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Bug {
  /** What a player with it does, as the table has it. */
  readonly what: string;
  readonly changes: readonly Change[];
}

/** A program to start: with a bug, or as it ships. */
export interface Program {
  readonly file: string;
  readonly bug: Bug | null;
}

type Entry = 'headless-player' | 'inspector';

/** The player as it ships. */
export const sound: Program = { file: resolve('dist/tests/chaos/child/headless-player.mjs'), bug: null };

let nursery: string | null = null;
let made = 0;

/** A folder that goes away with this process, from which Node finds the packages of the checkout. */
function folder(): string {
  if (nursery !== null) return nursery;
  const path = mkdtempSync(join(tmpdir(), 'signet-planted-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  symlinkSync(resolve('node_modules'), join(path, 'node_modules'));
  nursery = path;
  return path;
}

/**
 * Bundle the player with a bug in it.
 * @throws when the bug does not fit the source any more: plant it anew
 */
export async function plant(bug: Bug, entry: Entry = 'headless-player'): Promise<Program> {
  const file = join(folder(), `${entry}-${made++}.mjs`);
  const planted = new Set<Change>();
  try {
    await build({
      entryPoints: [resolve('test/chaos/child', `${entry}.ts`)],
      outfile: file,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      sourcemap: true,
      logLevel: 'warning',
      define: { __TEST_BUILD__: 'true', __PLAYER_VERSION__: '"planted"' },
      plugins: [planting(bug, planted)],
    });
  } finally {
    await stop();
  }
  for (const change of bug.changes)
    if (!planted.has(change)) throw new Error(`${change.file} is no part of ${entry}: ${bug.what}`);
  return { file, bug };
}

function planting(bug: Bug, planted: Set<Change>): Plugin {
  const product = resolve('electron');
  return {
    name: 'planting',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/electron\/.*\.ts$/ }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const change of bug.changes.filter(({ file }) => file === relative(product, path))) {
          const times = contents.split(change.from).length - 1;
          if (times !== 1) throw new Error(`found ${times} times in ${change.file}, for "${bug.what}": ${change.from}`);
          contents = contents.replace(change.from, () => change.to);
          planted.add(change);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { type SourceFile, sizeViolations, violations } from '../../support/layering-rules.ts';

const root = process.cwd();

function sources(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/\/(node_modules|build|dist)\//.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const product = ['electron', 'renderer', 'native'].flatMap(sources);

describe('layering', () => {
  const planted: readonly [rule: string, path: string, text: string][] = [
    ['a value from an earlier stage', 'electron/cache/x.ts', "import { parsePlaylist } from '../playlist/schema.ts';"],
    ['a value beside a type', 'electron/cache/x.ts', "import { type A, b } from '../playlist/schema.ts';"],
    ['a side effect', 'electron/cache/x.ts', "import '../playlist/schema.ts';"],
    ['a value over several lines', 'electron/cache/x.ts', "import {\n  a,\n  b,\n} from '../playlist/schema.ts';"],
    ['a value passed on', 'electron/cache/x.ts', "export { a } from '../playlist/schema.ts';"],
    ['a dynamic import', 'electron/cache/x.ts', "const a = await import('../playlist/schema.ts');"],
    ['require', 'electron/cache/x.ts', "const a = require('../playlist/schema.ts');"],
    ['a type from a later stage', 'electron/playlist/x.ts', "import type { Media } from '../cache/media.ts';"],
    ['a type import from a later stage', 'electron/playlist/x.ts', "type A = import('../cache/media.ts').A;"],
    ['main', 'electron/shell/x.ts', "import type { A } from '../main.ts';"],
    ['the wiring', 'electron/shell/x.ts', "import type { A } from '../assembly/a.ts';"],
    ['the wiring in a shared file', 'electron/log.ts', "import type { A } from './assembly/a.ts';"],
    ['a stage in a shared file', 'electron/log.ts', "import type { A } from './tpm/key.ts';"],
    ['a stage that is none', 'electron/shell/x.ts', "import type { A } from '../utils/a.ts';"],
    ['the page from main', 'electron/shell/x.ts', "import { a } from '../../renderer/store.ts';"],
    ['a test from the product', 'electron/shell/x.ts', "import { a } from '../../test/support/a.ts';"],
    ['main from the page', 'renderer/x.ts', "import type { A } from '../electron/errors.ts';"],
    ['a value of the contract', 'renderer/x.ts', "import { a } from '../electron/ipc/contract.ts';"],
    ['Node in the page', 'renderer/x.ts', "import { readFileSync } from 'node:fs';"],
    ['Electron in the page', 'renderer/x.ts', "import { ipcRenderer } from 'electron';"],
    ['node-tss outside its two stages', 'electron/certificate/x.ts', "import { connect } from 'node-tss';"],
    ['node-tss by its folder', 'electron/mtls/x.ts', "import { connect } from '../../native/index.ts';"],
    ['the product from the addon', 'native/x.ts', "import { a } from '../electron/errors.ts';"],
  ];
  for (const [rule, path, text] of planted) {
    it(`refuses ${rule}`, () => {
      assert.equal(violations([{ path, text }]).length, 1);
      assert.equal(violations([...product, { path, text }]).length, violations(product).length + 1);
    });
  }

  it('refuses a file above 300 lines and a main above 120', () => {
    const lines = (path: string, count: number) => sizeViolations([{ path, text: 'x\n'.repeat(count) }]).length;
    assert.deepEqual([lines('electron/a.ts', 300), lines('electron/a.ts', 301)], [0, 1]);
    assert.deepEqual([lines('electron/main.ts', 120), lines('electron/main.ts', 121)], [0, 1]);
  });

  it('takes what the rules allow', () => {
    const allowed: readonly [path: string, text: string][] = [
      ['electron/cache/x.ts', "import type { MediaHash } from '../playlist/playlist.ts';"],
      ['electron/cache/x.ts', "import { type A, type B } from '../playlist/playlist.ts';"],
      ['electron/cache/x.ts', "import { a } from './media.ts';\nimport { PlayerError } from '../errors.ts';"],
      ['electron/sanitize/x.ts', "import type { Program } from '../ipc/contract.ts';"],
      ['electron/main.ts', "import { a } from './shell/window.ts';"],
      ['electron/assembly/x.ts', "import { a } from '../shell/window.ts';"],
      ['electron/tpm/x.ts', "import { openTpm } from 'node-tss';"],
      [
        'renderer/x.tsx',
        "import type { Snapshot } from '../electron/ipc/contract.ts';\nimport { useState } from 'react';",
      ],
      [
        'electron/cache/x.ts',
        "// import { a } from '../playlist/schema.ts';\n/* import '../shell/a.ts' */\nconst a = 'x';",
      ],
    ];
    for (const [path, text] of allowed) assert.deepEqual(violations([{ path, text }]), [], text);
  });

  it('holds in the product', () => {
    assert.ok(product.length > 40, 'the product was found');
    assert.deepEqual(violations(product), []);
  });

  it('keeps files small', () => {
    assert.deepEqual(sizeViolations(product), []);
    const lengths = product.map(({ text }) => text.split('\n').length).sort((a, b) => a - b);
    assert.ok((lengths[Math.floor(lengths.length / 2)] ?? 0) <= 80, 'the median file');
  });
});
